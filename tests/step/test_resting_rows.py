"""Sparse gradients of rules that leave the other rows unchanged: every row of the gradient has the bits of a dense
step, no other row changes, and torch agrees.
"""

import copy

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, step_all, to_numpy
from support.row_gradients import SHAPE, dense, held, rows
from support.sums import norm
from support.tolerances import OTHER_ALGORITHM

HYPER = {
    "SGD": {"lr": 0.3},
    "Adagrad": {"lr": 0.2, "lr_decay": 0.1, "initial_accumulator_value": 0.25, "eps": 1e-3},
    "SparseAdam": {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3},
}
STEPS = 5

each_rule = pytest.mark.parametrize("name", HYPER)


def over(name, arrays, **options):
    return getattr(gradstep, name)(arrays, **HYPER[name], **options)


def assert_rows_step_alone(name, parameter, given, made=dense, **options):
    """After each step the gradient's rows equal those of a dense step from the same point, the others are unchanged."""
    optimizer = over(name, [parameter], **options)
    for each in given:
        before, whole = parameter.copy(), parameter.copy()
        other = over(name, [whole], **options)
        other.load_state_dict(optimizer.state_dict())
        state = copy.deepcopy(optimizer.state[0])
        optimizer.step([each])
        other.step([made(each)])
        now, rest = held(each), np.setdiff1d(np.arange(len(parameter)), each.indices)
        assert len(now) < len(each.indices)
        assert len(rest)
        assert_same_bits(parameter[now], whole[now])
        assert_same_bits(parameter[rest], before[rest])
        for key in optimizer.kernel(optimizer.param_groups[0]).arrays:
            assert_same_bits(optimizer.state[0][key][now], other.state[0][key][now])
            if key in state:
                assert_same_bits(optimizer.state[0][key][rest], state[key][rest])


@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "bf16"])
@each_rule
def test_rows_that_are_held(name, dtype):
    wide = "f64" if dtype == "f64" else "f32"
    given = [rows(t, dtype) for t in range(STEPS)]
    assert_rows_step_alone(name, normal(0, SHAPE, dtype), given, lambda each: dense(each, dtype=wide))


LAYOUTS = {
    "columns first": lambda: np.asfortranarray(normal(0, (12, 5, 7))),
    "every other": lambda: normal(0, (24, 5, 14))[::2, :, ::2],
    "backwards": lambda: normal(0, (12, 5, 7))[::-1, :, ::-1],
    "row turned": lambda: normal(0, (12, 7, 5)).transpose(0, 2, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@each_rule
def test_layouts(name, layout):
    shape = (12, 5, 7)
    given = [rows(t, shape=shape, count=6) for t in range(STEPS)]
    assert_rows_step_alone(name, LAYOUTS[layout](), given, lambda each: dense(each, shape))


def test_rows_of_one_element():
    given = [rows(t, shape=(12,), count=6) for t in range(STEPS)]
    assert_rows_step_alone("SparseAdam", normal(0, 12), given, lambda each: dense(each, (12,)))


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_bits(threads):
    shape = (3000, 96)  # several chunks, whose ends are no ends of rows
    given = [rows(t, shape=shape, count=2900) for t in range(2)]
    parameter, before = normal(0, shape), gradstep.get_num_threads()
    try:
        gradstep.set_num_threads(threads)
        assert_rows_step_alone("SparseAdam", parameter, given, lambda each: dense(each, shape))
    finally:
        gradstep.set_num_threads(before)


def test_a_gradient_of_no_rows_counts_as_an_update():
    p = normal(0, SHAPE)
    optimizer = over("SparseAdam", [p])
    optimizer.step([gradstep.Rows(np.zeros(0, np.int64), np.zeros((0, SHAPE[1])))])
    assert_same_bits(p, normal(0, SHAPE))
    assert optimizer.state[0]["step"] == 1


def test_sparse_and_dense_gradients_in_turn():
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    given = [rows(1), dense(rows(2)), rows(3), dense(rows(4))]
    step_all(over("Adagrad", [p]), [[g] for g in given])
    # A dense zero leaves Adagrad's rows alone, so that all may be dense.
    step_all(over("Adagrad", [q]), [[dense(g) if isinstance(g, gradstep.Rows) else g] for g in given])
    assert_same_bits(p, q)


@pytest.mark.parametrize(
    "options", [{"maximize": True}, {"clip_value": 0.3}, {"cast_to": "f16"}, {"state_dtype": "param"}], ids=str
)
@each_rule
def test_options(name, options):
    p, given = normal(0, SHAPE), [rows(t) for t in range(STEPS)]
    assert_rows_step_alone(name, p, given, **options)
    if "cast_to" in options:
        q = normal(0, SHAPE)
        optimizer = step_all(over(name, [q], **options), [[g] for g in given])
        assert_same_bits(optimizer.state[0]["cast"], q.astype(np.float16))


def test_unscaling_clipping_and_what_is_measured():
    p, q, g = normal(0, SHAPE), normal(0, SHAPE), rows(1)
    optimizer = over("SparseAdam", [p], clip_norm=0.7, stats=True)
    optimizer.step([g], grad_scale=4.0)
    added = dense(g)[held(g)] * np.float32(0.25)
    assert optimizer.stats().gradient_norm == norm([added])
    shrunk = added * np.float32(0.7 / (norm([added]) + 1e-6))
    over("SparseAdam", [q]).step([gradstep.Rows(held(g), shrunk)])
    assert_same_bits(p, q)
    # In float64 the squares are rounded, so the order of the sum counts.
    change = np.linalg.norm(p.astype(float) - normal(0, SHAPE))
    assert optimizer.stats().update_norm == pytest.approx(change, rel=OTHER_ALGORITHM)
    assert optimizer.stats().parameter_norm == pytest.approx(
        np.linalg.norm(p[held(g)].astype(float)), rel=OTHER_ALGORITHM
    )


def test_a_step_with_infinite_values_is_skipped():
    p, g = normal(0, SHAPE), rows(1)
    g.values[3, 5] = np.inf
    optimizer = over("SparseAdam", [p], skip_nonfinite=True)
    optimizer.step([g])
    assert optimizer.stats().skipped
    assert optimizer.stats().nonfinite == 1
    assert_same_bits(p, normal(0, SHAPE))
    assert optimizer.state == [{}]


def test_the_bare_kernel():
    p, q, g = normal(0, SHAPE), normal(0, SHAPE), rows(1)
    m, v = np.zeros_like(p), np.zeros_like(p)
    gradstep.functional.sparseadam_(p, g, m, v, step=1, **HYPER["SparseAdam"])
    over("SparseAdam", [q]).step([g])
    assert_same_bits(p, q)


def embeddings(name):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    torch.manual_seed(0)
    mine = torch.nn.Embedding(*SHAPE, sparse=True)
    other = copy.deepcopy(mine)
    ours = getattr(optim, name)(mine.parameters(), **HYPER[name])
    return mine, ours, other, getattr(torch.optim, name)(other.parameters(), **HYPER[name])


def train(embedding, optimizer, seed, coalesced=False):
    import torch

    given = rows(seed)
    optimizer.zero_grad()
    (embedding(torch.from_numpy(given.indices)) * torch.from_numpy(given.values)).sum().backward()
    assert embedding.weight.grad.is_sparse
    if coalesced:
        embedding.weight.grad = embedding.weight.grad.coalesce()
    optimizer.step()


def assert_close(mine, other):
    # Both round every operation once, torch twice where we use fma: a few ulp of 1 over five steps, numbers up to 4.
    np.testing.assert_allclose(to_numpy(mine), to_numpy(other), rtol=0, atol=4 * 5 * 2**-24)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("coalesced", [False, True])
@each_rule
def test_torch_agrees(name, coalesced):
    mine, ours, other, theirs = embeddings(name)
    for seed in range(STEPS):
        train(mine, ours, seed, coalesced)
        train(other, theirs, seed)
        assert_close(mine.weight, other.weight)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@each_rule
def test_state_dicts_go_both_ways(name):
    mine, ours, other, theirs = embeddings(name)
    for seed in range(3):
        train(mine, ours, seed)
        train(other, theirs, seed)
    mine_next, ours_next, other_next, theirs_next = embeddings(name)
    mine_next.load_state_dict(other.state_dict())
    ours_next.load_state_dict(theirs.state_dict())
    other_next.load_state_dict(mine.state_dict())
    theirs_next.load_state_dict(ours.state_dict())
    for seed in range(3, 3 + STEPS):
        train(mine_next, ours_next, seed)
        train(other_next, theirs_next, seed)
        assert_close(mine_next.weight, other_next.weight)


def test_torch_tensors_that_are_sparse_in_every_dimension():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    weight = torch.nn.Parameter(torch.arange(12.0).reshape(3, 4))
    weight.grad = torch.sparse_coo_tensor([[2, 0, 2], [1, 3, 1]], [1.0, 2.0, 4.0], (3, 4), check_invariants=True)
    optim.SGD([weight], lr=0.5).step()
    expected = torch.arange(12.0).reshape(3, 4)
    expected[0, 3] -= 1
    expected[2, 1] -= 2.5
    assert torch.equal(weight.detach(), expected)


def test_autograd_notices():
    torch = pytest.importorskip("torch")
    mine, ours, _, _ = embeddings("SparseAdam")
    version = mine.weight._version
    train(mine, ours, 1)
    assert mine.weight._version > version
    assert torch.isfinite(mine.weight).all()
