"""lazy_rows: sparse gradients have the bits of dense ones after the skipped updates are applied."""

import copy
import pickle

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, step_all
from support.cases import ONE_EACH, Case
from support.row_gradients import SHAPE, dense, held, rows

STEPS = 7
#: the others need reductions over whole tensors, and refuse sparse gradients
ELEMENTWISE = [case for case in ONE_EACH if case.scope == "element"]
ADAM = Case("Adam", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05})


def assert_same_states(one, other):
    for mine, theirs in zip(one.state, other.state, strict=True):
        assert mine.keys() == theirs.keys()
        for name in mine:
            assert_same_bits(mine[name], theirs[name])


def assert_lags_and_catches_up(case, dtype="f32", shape=SHAPE, steps=STEPS, **options):
    p, q = normal(0, shape, dtype), normal(0, shape, dtype)
    lazy, full = case.over([p], lazy_rows=True, **options), case.over([q], **options)
    lagged = False
    for t in range(steps):
        given = rows(t, dtype, shape)
        lazy.step([given])
        full.step([dense(given, shape, "f64" if dtype == "f64" else "f32")])
        assert_same_bits(p[held(given)], q[held(given)])
        lagged |= not np.array_equal(p, q)
    lazy.catch_up()
    assert_same_bits(p, q)
    assert_same_states(lazy, full)
    return lagged


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
def test_bits_of_dense_gradients(case, dtype):
    assert assert_lags_and_catches_up(case, dtype)


@pytest.mark.parametrize("state_dtype", [None, "param"])
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
def test_bits_of_dense_gradients_in_sixteen_bits(case, dtype, state_dtype):
    """Each skipped update rounds its result when it is applied, as if it had been made."""
    assert assert_lags_and_catches_up(case, dtype, state_dtype=state_dtype, ema=0.7)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": gradstep.CosineDecay(0.1, steps=5).warmup(2)},
        {"decoupled_weight_decay": "full", "peak_lr": 0.05, "cautious": True},
        {"ema": 0.7, "ema_bias_correction": True},
        {"maximize": True, "clip_value": 0.3, "cast_to": "f16"},
    ],
    ids=str,
)
def test_options(options):
    assert assert_lags_and_catches_up(ADAM, **options)


def test_rules_by_which_rows_rest_have_nothing_to_make_up_for():
    assert not assert_lags_and_catches_up(Case("SGD", {"lr": 0.3}))
    assert not assert_lags_and_catches_up(Case("Adagrad", {"lr": 0.3, "lr_decay": 0.1}))


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_bits(threads):
    before = gradstep.get_num_threads()
    try:
        gradstep.set_num_threads(threads)
        assert assert_lags_and_catches_up(ADAM, shape=(3000, 96), steps=3)
    finally:
        gradstep.set_num_threads(before)


def test_what_is_kept_of_the_past_is_bounded():
    # After a thousand updates all skipped updates are applied automatically; those since then are not yet.
    p, q, g = normal(0, (3, 2)), normal(0, (3, 2)), gradstep.Rows(np.array([1]), normal(1, (1, 2)))
    slow = {"lr": 1e-4, "weight_decay": 1e-3}
    lazy, full = ADAM.over([p], lazy_rows=True, **slow), ADAM.over([q], **slow)
    step_all(lazy, [[g]] * 1000)
    step_all(full, [[dense(g, (3, 2))]] * 1000)
    assert_same_bits(p, q)
    lazy.step([g])
    full.step([dense(g, (3, 2))])
    assert not np.array_equal(p, q)
    lazy.catch_up()
    assert_same_bits(p, q)


def test_norms_are_clipped():
    # The norm's squares are added in another order than those of the dense gradient, so its last bit may differ.
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy, full = ADAM.over([p], lazy_rows=True, clip_norm=0.7), ADAM.over([q], clip_norm=0.7)
    for t in range(STEPS):
        lazy.step([rows(t)])
        full.step([dense(rows(t))])
    lazy.catch_up()
    np.testing.assert_allclose(p, q, rtol=0, atol=STEPS * 2**-24)


def test_rows_can_catch_up_before_they_are_read():
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy, full = ADAM.over([p], lazy_rows=True), ADAM.over([q])
    for t in range(STEPS):
        read = rows(t).indices
        lazy.catch_up(p, read.reshape(3, 3))
        assert_same_bits(p[read], q[read])  # the rows that a forward pass reads
        values = np.sin(p[read]) * np.float32(2)
        lazy.step([gradstep.Rows(read, values)])
        full.step([dense(gradstep.Rows(read, values))])
    assert not np.array_equal(p, q)
    lazy.catch_up()
    assert_same_bits(p, q)


SAVED = {
    "state_dict": lambda optimizer: optimizer.state_dict(),
    "copy": copy.deepcopy,
    "pickle": pickle.dumps,
    "group": lambda optimizer: optimizer.add_param_group({"params": [np.zeros(2, np.float32)]}),
}


@pytest.mark.parametrize("what", SAVED)
def test_rows_catch_up_before_they_are_saved(what):
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy = step_all(ADAM.over([p], lazy_rows=True), [[rows(t)] for t in range(3)])
    step_all(ADAM.over([q]), [[dense(rows(t))] for t in range(3)])
    assert not np.array_equal(p, q)
    SAVED[what](lazy)
    assert_same_bits(p, q)


def test_a_saved_state_is_that_of_dense_gradients():
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy = step_all(ADAM.over([p], lazy_rows=True), [[rows(t)] for t in range(3)])
    full = ADAM.over([q])
    with pytest.warns(UserWarning, match="lazy_rows False -> True"):
        full.load_state_dict(lazy.state_dict())
    full.param_groups[0]["lazy_rows"] = False
    q[...] = p
    step_all(full, [[dense(rows(t))] for t in range(3, 6)])
    step_all(lazy, [[rows(t)] for t in range(3, 6)]).catch_up()
    assert_same_bits(p, q)
    assert_same_states(lazy, full)


def test_averages_catch_up_before_they_are_swapped_in():
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy = step_all(ADAM.over([p], lazy_rows=True, ema=0.7), [[rows(t)] for t in range(3)])
    full = step_all(ADAM.over([q], ema=0.7), [[dense(rows(t))] for t in range(3)])
    with lazy.averages.swapped_in(), full.averages.swapped_in():
        assert_same_bits(p, q)
    assert_same_bits(p, q)


def test_averages_of_schedule_free_rules_catch_up_before_they_are_evaluated():
    case = Case("ScheduleFreeAdamW", {"lr": 0.03, "betas": (0.8, 0.95), "weight_decay": 0.3})
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy = step_all(case.over([p], lazy_rows=True), [[rows(t)] for t in range(3)])
    full = step_all(case.over([q]), [[dense(rows(t))] for t in range(3)])
    assert not np.array_equal(p, q)
    lazy.eval()
    full.eval()
    assert_same_bits(p, q)


def torch_embedding():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    weight = torch.nn.Parameter(torch.from_numpy(normal(0, SHAPE)))
    return weight, optim.Adam([weight], **ADAM.hyper, lazy_rows=True)


def give(weight, t):
    import torch

    given = rows(t)
    weight.grad = torch.sparse_coo_tensor(given.indices[None], given.values, weight.shape, check_invariants=True)


def test_a_parameter_that_has_moved_catches_up_where_it_is():
    weight, optimizer = torch_embedding()
    q = normal(0, SHAPE)
    step_all(ADAM.over([q]), [[dense(rows(t))] for t in range(3)])
    for t in range(3):
        give(weight, t)
        optimizer.step()
    weight.data = weight.detach().clone()
    optimizer.catch_up()
    assert_same_bits(weight.detach().numpy(), q)


def test_torch_embeddings():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    torch.manual_seed(0)
    sparse = torch.nn.Embedding(*SHAPE, sparse=True)
    other = torch.nn.Embedding(*SHAPE, _weight=sparse.weight.detach().clone())
    lazy, full = optim.AdamW(sparse.parameters(), lazy_rows=True), optim.AdamW(other.parameters())
    for t in range(STEPS):
        read = torch.from_numpy(rows(t).indices)
        lazy.catch_up(sparse.weight, read)
        for embedding, optimizer in ((sparse, lazy), (other, full)):
            optimizer.zero_grad()
            embedding(read).sin().sum().backward()
            optimizer.step()
    version = sparse.weight._version
    saved = lazy.state_dict()
    assert sparse.weight._version > version
    # The sum over a row that comes more than once is torch's own in the dense gradient, in another order.
    torch.testing.assert_close(sparse.weight, other.weight, rtol=0, atol=STEPS * 2**-24)
    torch.optim.AdamW(other.parameters()).load_state_dict(saved)


def test_rows_that_lag_go_on_after_a_refused_state():
    p, q = normal(0, SHAPE), normal(0, SHAPE)
    lazy, twin = ADAM.over([p], lazy_rows=True), ADAM.over([q], lazy_rows=True)
    for t in range(3):
        if t == 2:
            state = lazy.state[0]["exp_avg"]
            kept = state.copy()
            state.resize((1,), refcheck=False)
            with pytest.raises(ValueError, match="'exp_avg' of parameter 0 has shape"):
                lazy.step([rows(t, "f32", SHAPE)])
            state.resize(SHAPE, refcheck=False)
            state[...] = kept
        lazy.step([rows(t, "f32", SHAPE)])
        twin.step([rows(t, "f32", SHAPE)])
    lazy.catch_up()
    twin.catch_up()
    assert_same_bits(p, q)
    assert_same_states(lazy, twin)
