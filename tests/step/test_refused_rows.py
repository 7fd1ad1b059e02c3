"""Sparse gradients that can't be used raise before anything is written."""

import copy

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal
from support.cases import CASES
from support.row_gradients import SHAPE, dense, rows

INDICES, VALUES = np.array([3, 1]), normal(1, (2, SHAPE[1]))


class Numbered:
    dtype, shape = np.dtype(np.float32), (2, SHAPE[1])


WRONG_ROWS = {
    "float indices": (lambda: gradstep.Rows(INDICES.astype(float), VALUES), TypeError, "Invalid indices: of float64"),
    "int32 indices": (
        lambda: gradstep.Rows(INDICES.astype(np.int32), VALUES),
        TypeError,
        "Invalid indices: of int32: pass an array of int64, with the number of a row for each",
    ),
    "a list of indices": (lambda: gradstep.Rows([3, 1], VALUES), TypeError, "Invalid indices: of list: pass an array"),
    "a list of values": (lambda: gradstep.Rows(INDICES, [[1.0], [2.0]]), TypeError, "Invalid values: a list: pass an"),
    "masked values": (
        lambda: gradstep.Rows(INDICES, np.ma.masked_array(VALUES, True)),
        TypeError,
        "Invalid rows: a masked array, and masks are not supported",
    ),
    "masked indices": (lambda: gradstep.Rows(np.ma.masked_array(INDICES), VALUES), TypeError, "Invalid rows: a masked"),
    "indices of two dimensions": (
        lambda: gradstep.Rows(INDICES.reshape(1, 2), VALUES),
        ValueError,
        r"Invalid rows: indices of shape \(1, 2\) and values of shape \(2, 33\): they must be \(n,\) and \(n, \.\.\.\)",
    ),
    "too few indices": (
        lambda: gradstep.Rows(INDICES[:1], VALUES),
        ValueError,
        r"Invalid rows: indices of shape \(1,\)",
    ),
}


@pytest.mark.parametrize("kind", WRONG_ROWS)
def test_rows_that_are_none(kind):
    make, error, message = WRONG_ROWS[kind]
    with pytest.raises(error, match=f"^{message}"):
        make()


WRONG_GRADIENTS = {
    "below": (lambda: gradstep.Rows(np.array([3, -1]), VALUES), ValueError, "has row -1, but .* has rows 0 to 39"),
    "beyond": (lambda: gradstep.Rows(np.array([3, 40]), VALUES), ValueError, "has row 40, but .* has rows 0 to 39"),
    "shorter rows": (
        lambda: gradstep.Rows(INDICES, VALUES[:, 1:]),
        ValueError,
        r"has shape \(40, 32\), but the parameter has shape \(40, 33\): they must be equal",
    ),
    "flat rows": (lambda: gradstep.Rows(INDICES, VALUES[:, 0]), ValueError, r"has shape \(40,\), but the parameter"),
    "integer values": (lambda: gradstep.Rows(INDICES, VALUES.astype(int)), TypeError, "has dtype int64: allowed are"),
    "no array": (lambda: gradstep.Rows(INDICES, Numbered()), TypeError, "is a .*Numbered, which offers neither"),
}


def assert_refused(optimizer, arrays, gradients, error, message):
    before = [a.copy() for a in arrays], copy.deepcopy(optimizer.state)
    for _ in range(2):
        with pytest.raises(error, match=message):
            optimizer.step(gradients)
    for a, kept in zip(arrays, before[0], strict=True):
        assert_same_bits(a, kept)
    for now, then in zip(optimizer.state, before[1], strict=True):
        assert all((now[name] == then[name]).all() for name in then)


@pytest.mark.parametrize("kind", WRONG_GRADIENTS)
def test_gradients(kind):
    make, error, message = WRONG_GRADIENTS[kind]
    arrays = [normal(0, 5), normal(0, SHAPE)]
    optimizer = gradstep.SparseAdam(arrays)
    optimizer.step([normal(1, 5), rows(1)])
    assert_refused(optimizer, arrays, [normal(2, 5), make()], error, f"^the gradient of parameter 1 {message}")
    optimizer.step([normal(2, 5), rows(2)])


def test_a_parameter_without_rows():
    p = np.zeros((), np.float32)
    given = gradstep.Rows(np.zeros(1, np.int64), np.ones(1, np.float32))
    assert_refused(
        gradstep.SGD([p], lr=0.5), [p], [given], ValueError, r"shape \(\): they must be equal, and have rows"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_decay": 0.1}, "weight_decay would change the rows that it leaves out; pass weight_decay=0"),
        ({"weight_decay": 0.1, "decoupled_weight_decay": True}, "weight_decay would change the rows"),
        ({"ema": 0.9}, "ema would move the averages of the rows that it leaves out; pass ema=None"),
        ({"zero_grad": True}, "zero_grad=True would leave its rows in it, with zeros; pass zero_grad=False"),
        ({"zero_grad": True, "lazy_rows": True}, "zero_grad=True would leave its rows in it"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["SGD", "Adagrad", "SparseAdam"])
def test_options(name, options, message):
    p = normal(0, SHAPE)
    optimizer = getattr(gradstep, name)([p], lr=0.1, **options)
    assert_refused(optimizer, [p], [rows(1)], ValueError, f"^the gradient of parameter 0 is sparse: {message}")
    optimizer.step([dense(rows(1))])
    assert not np.array_equal(p, normal(0, SHAPE))


@pytest.mark.parametrize(("name", "hyper"), [("Adam", {}), ("SGD", {"momentum": 0.9}), ("Lion", {})])
def test_rules_by_which_rows_do_not_rest(name, hyper):
    p = normal(0, SHAPE)
    optimizer = getattr(gradstep, name)([p], lr=0.1, **hyper)
    message = (
        r"^the gradient of parameter 0 is sparse \(gradstep.Rows\): .* only for SGD without momentum, Adagrad and "
        r"SparseAdam, or with lazy_rows=True; pass \.to_dense\(\)"
    )
    assert_refused(optimizer, [p], [rows(1)], TypeError, message)


@pytest.mark.parametrize("name", sorted({case.name for case in CASES if case.scope != "element"}))
def test_rules_that_measure_whole_tensors(name):
    p = normal(0, SHAPE)
    optimizer = getattr(gradstep, name)([p], lr=0.1, lazy_rows=True)
    message = "^the gradient of parameter 0 is sparse: its rule measures whole tensors"
    assert_refused(optimizer, [p], [rows(1)], ValueError, message)


def test_accumulation():
    p = normal(0, SHAPE)
    optimizer = gradstep.SparseAdam([p], accumulate=2)
    assert_refused(optimizer, [p], [rows(1)], TypeError, r"^the gradient of parameter 0 is sparse .* \.to_dense\(\)")


def test_parameters():
    with pytest.raises(TypeError, match=r"^parameter 1 is sparse \(gradstep.Rows\): only gradients may be"):
        gradstep.SparseAdam([normal(0, SHAPE), rows(1)])


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_torch_tensors():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    weight = torch.nn.Parameter(torch.zeros(3, 4))
    optimizer = optim.SparseAdam([weight])
    for make, message in {
        lambda: torch.zeros(3, 4).to_sparse_csr(): r"is sparse \(torch.sparse_csr\): only .* torch\.sparse_coo",
        lambda: torch.sparse_coo_tensor(
            size=(3, 4), device="meta", check_invariants=True
        ): r"is on meta: .* move it with \.cpu\(\)",
    }.items():
        with pytest.raises(TypeError, match=f"^the gradient of parameter 0 {message}"):
            gradstep.SparseAdam([weight.detach()]).step([make()])
    weight.grad = torch.sparse_coo_tensor([[1]], torch.ones(1, 4), (3, 4), check_invariants=True)
    optimizer.param_groups[0]["weight_decay"] = 0.1
    with pytest.raises(ValueError, match="weight_decay would change the rows"):
        optimizer.step()
    assert torch.equal(weight, torch.zeros(3, 4))
