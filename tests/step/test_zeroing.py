"""zero_grad: gradients are filled with zeros in the pass that reads them."""

import weakref

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal
from support.cases import ONE_EACH


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_gradients_are_zero_and_the_update_is_the_same(case, dtype):
    p, q, g = normal(0, 3 * 1024 + 5), normal(0, 3 * 1024 + 5), normal(1, 3 * 1024 + 5, dtype)
    case.over([q]).step([g.copy()])
    case.over([p], zero_grad=True).step([g])
    assert_same_bits(p, q)
    assert_same_bits(g, np.zeros_like(g))


def test_a_strided_gradient():
    held = np.ones((50, 40))
    p = np.zeros((50, 20))
    gradstep.SGD([p], lr=1.0, zero_grad=True).step([held[:, ::2]])
    np.testing.assert_array_equal(held[:, ::2], 0)
    np.testing.assert_array_equal(held[:, 1::2], 1)
    np.testing.assert_array_equal(p, -1)


def test_only_the_groups_that_ask_for_it():
    g = [np.ones(3), np.ones(3)]
    groups = [{"params": [np.zeros(3)], "zero_grad": True}, {"params": [np.zeros(3)]}]
    gradstep.SGD(groups, lr=0.1).step(g)
    np.testing.assert_array_equal(g, [np.zeros(3), np.ones(3)])


def test_torchs_gradients_and_their_version():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    p = torch.nn.Parameter(torch.ones(4))
    p.grad = torch.ones(4)
    before = p.grad._version
    optim.SGD([p], lr=0.5, zero_grad=True).step()
    assert p.grad.tolist() == [0.0] * 4
    assert p.grad._version > before


@pytest.mark.parametrize("found_inf", [0.0, 1.0])
def test_versions_move_where_something_was_written(found_inf):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    zeroed, kept = (torch.nn.Parameter(torch.ones(4)) for _ in range(2))
    zeroed.grad, kept.grad = torch.ones(4), torch.ones(4)
    optimizer = optim.SGD([{"params": [zeroed], "zero_grad": True}, {"params": [kept]}], lr=0.5)
    optimizer.found_inf = torch.tensor(found_inf)
    arrays = (zeroed, zeroed.grad, kept, kept.grad)
    before = [each._version for each in arrays]
    optimizer.step()
    moved = [each._version > version for each, version in zip(arrays, before, strict=True)]
    assert moved == [not found_inf, True, not found_inf, False]


def test_versions_move_in_the_functional_form():
    torch = pytest.importorskip("torch")
    arrays = [torch.ones(4), torch.ones(4)]
    before = [each._version for each in arrays]
    gradstep.functional.sgd_(*arrays, step=1, lr=0.5, zero_grad=True)
    assert [each.tolist() for each in arrays] == [[0.5] * 4, [0.0] * 4]
    assert all(each._version > version for each, version in zip(arrays, before, strict=True))


def test_no_gradient_is_kept_alive():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    p = torch.nn.Parameter(torch.ones(4))
    p.grad = torch.ones(4)
    gradient = weakref.ref(p.grad)
    optimizer = optim.SGD([p], lr=0.5, zero_grad=True)
    optimizer.step()
    p.grad = None
    assert gradient() is None


def read_only():
    g = np.ones(4)
    g.flags.writeable = False
    return g


SHARED = np.ones(4)


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ([np.ones(4), read_only()], "the gradient of parameter 1 is read-only: pass one that can be written"),
        ([np.broadcast_to(np.ones(1), (4,)), np.ones(4)], "the gradient of parameter 0 is read-only"),
        (
            [np.lib.stride_tricks.as_strided(np.ones(1), (4,), (0,)), np.ones(4)],
            r"the gradient of parameter 0 overlaps itself \(an expanded or sliding view\), so it can't be zeroed: pass",
        ),
        ([SHARED, SHARED], "the gradient of parameter 0 shares memory with the gradient of parameter 1, so it can't"),
    ],
)
def test_what_cannot_be_zeroed_is_refused(gradients, message):
    p = [np.ones(4), np.ones(4)]
    with pytest.raises(ValueError, match=message):
        gradstep.SGD(p, lr=0.1, zero_grad=True).step(gradients)
    np.testing.assert_array_equal(p, 1)
    np.testing.assert_array_equal(gradients, 1)


def test_the_parameter_as_its_own_gradient_is_refused():
    p = np.ones(4)
    with pytest.raises(ValueError, match="shares memory"):
        gradstep.SGD([p], lr=0.1, zero_grad=True).step([p])
    np.testing.assert_array_equal(p, 1)
