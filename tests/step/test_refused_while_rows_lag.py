"""lazy_rows: operations that are refused while rows have skipped updates, or that would read such rows."""

import numpy as np
import pytest
from test_lagging_rows import ADAM, assert_same_states, give, torch_embedding

import gradstep
from support.arrays import assert_same_bits, normal, step_all
from support.row_gradients import SHAPE, dense, rows


def lagging():
    p = normal(0, SHAPE)
    return p, step_all(ADAM.over([p], lazy_rows=True), [[rows(t)] for t in range(3)])


def test_a_dense_gradient_while_rows_lag_is_refused():
    p, optimizer = lagging()
    before = p.copy()
    with pytest.raises(ValueError, match=r"rows of parameter 0 lag .* call catch_up\(\) before"):
        optimizer.step([dense(rows(3))])
    assert_same_bits(p, before)
    optimizer.catch_up()
    optimizer.step([dense(rows(3))])
    assert optimizer.state[0]["step"] == 4


def test_states_that_are_added_while_rows_lag_are_refused():
    p, optimizer = lagging()
    before = p.copy()
    optimizer.param_groups[0]["ema"] = 0.5
    with pytest.raises(ValueError, match=r"rows of parameter 0 lag .* call catch_up\(\) before"):
        optimizer.step([rows(3)])
    assert_same_bits(p, before)


def test_another_state_while_rows_lag_is_refused_until_they_have_caught_up():
    p, optimizer = lagging()
    q = normal(0, SHAPE)
    full = step_all(ADAM.over([q]), [[dense(rows(t))] for t in range(3)])
    for each in (optimizer, full):
        each.state[0] = dict(each.state[0])
    with pytest.raises(ValueError, match=r"rows of parameter 0 lag .* call catch_up\(\) before"):
        optimizer.step([rows(3)])
    optimizer.catch_up()
    optimizer.step([rows(3)])
    optimizer.catch_up()
    full.step([dense(rows(3))])
    assert_same_bits(p, q)
    assert_same_states(optimizer, full)


def move_a_parameter_over_its_state(p, q, state):
    p.data = state[p]["exp_avg"]


def move_a_state_over_its_parameter(p, q, state):
    state[p]["exp_avg_sq"].set_(p.detach())


def move_a_parameter_over_another(p, q, state):
    p.data = q.data


def move_a_parameter_into_the_state_of_another(p, q, state):
    p.data = state[q]["exp_avg"]


WITHIN_ONE = (move_a_parameter_over_its_state, move_a_state_over_its_parameter)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("move", "words"),
    [
        (move_a_parameter_over_its_state, "the state 'exp_avg' of parameter 0 shares memory with parameter 0"),
        (move_a_state_over_its_parameter, "the state 'exp_avg_sq' of parameter 0 shares memory with parameter 0"),
        (move_a_parameter_over_another, "parameter [01] and parameter [01] share memory: pass each element once"),
        (move_a_parameter_into_the_state_of_another, "the state 'exp_avg' of parameter 1 shares memory with parameter"),
    ],
)
def test_what_shares_memory_while_rows_lag_is_refused(move, words, alone):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    if alone and move not in WITHIN_ONE:
        pytest.skip("the other one is not written in this call")
    p, q = (torch.ones(4, 2) for _ in range(2))
    optimizer = optim.Adam([p, q], lr=0.5, lazy_rows=True)
    for row in (1, 0, 1):
        for each in (p, q):
            each.grad = torch.sparse_coo_tensor([[row]], torch.ones(1, 2), (4, 2), check_invariants=True)
        optimizer.step()
    held, memory = p.data, p.clone()
    move(p, q, optimizer.state)
    arrays = [p, q, *(optimizer.state[each][name] for each in (p, q) for name in ("exp_avg", "exp_avg_sq"))]
    before = [each.clone() for each in arrays]
    with pytest.raises(ValueError, match=words):
        optimizer.catch_up(*([p, np.array([0, 1])] if alone else []))
    assert all(map(torch.equal, arrays, before))
    if move is not move_a_state_over_its_parameter:
        p.data = held
        assert torch.equal(p, memory)
        optimizer.catch_up()


def test_a_parameter_that_has_lost_rows_while_they_lag_is_refused():
    weight, optimizer = torch_embedding()
    give(weight, 0)
    optimizer.step()
    weight.data = weight.detach()[:20].clone()
    before = weight.detach().clone()
    with pytest.raises(ValueError, match="rows of parameter 0 lag"):
        optimizer.catch_up()
    assert (weight == before).all()


def test_rows_that_are_none_are_refused():
    p, optimizer = lagging()
    with pytest.raises(ValueError, match="catch_up got an array that is none of the optimizer's parameters"):
        optimizer.catch_up(p.copy())
    with pytest.raises(ValueError, match="catch_up has row 40, but the parameter has rows 0 to 39"):
        optimizer.catch_up(p, np.array([3, 40]))
    with pytest.raises(TypeError, match="Invalid rows: of int32: pass an array of int64"):
        optimizer.catch_up(p, np.array([3], np.int32))


def test_the_bare_kernel_refuses():
    p = normal(0, SHAPE)
    with pytest.raises(ValueError, match="adam_ keeps nothing, so rows can't lag"):
        gradstep.functional.adam_(p, rows(0), np.zeros_like(p), np.zeros_like(p), step=1, lazy_rows=True)
