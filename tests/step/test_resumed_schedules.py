"""Schedules of hyper-parameters in checkpoints: resumed at every step, or refused with what differs."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from test_scheduled_hyperparameters import SIZE

import gradstep
from gradstep import Constant, Linear
from support.arrays import assert_same_bits, normal


def scheduled_adam(p, **options):
    made = {"lr": Linear(0.1, 0.0, 10).warmup(2), "betas": (Linear(0.9, 0.8, 10), 0.97), **options}
    return gradstep.Adam([p], **made)


@pytest.mark.parametrize("through", [copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))])
@pytest.mark.parametrize("stop", range(5))
def test_resume_at_every_step(stop, through):
    def run(optimizer, times):
        for t in times:
            optimizer.step([normal(t, SIZE)])

    p = normal(0, SIZE)
    run(scheduled_adam(p), range(5))
    q = normal(0, SIZE)
    first = scheduled_adam(q)
    run(first, range(stop))
    second = scheduled_adam(q)
    second.load_state_dict(through(first.state_dict()))
    run(second, range(stop, 5))
    assert_same_bits(q, p)


def saved_after(steps, **options):
    optimizer = scheduled_adam(np.ones(3), **options)
    for _ in range(steps):
        optimizer.step([np.ones(3)])
    return optimizer.state_dict()


def test_a_changed_schedule_is_refused_with_its_differences():
    optimizer = scheduled_adam(np.ones(3), lr=Linear(0.1, 0.0, 20).warmup(2))
    before = copy.deepcopy(optimizer.param_groups[0])
    line = r"  lr: base.steps \(of Linear\): 10 -> 20"
    says = rf"in group 0 \(saved -> given\):\n{line}\n(.|\n)*delete state_dict\['param_groups'\]\[0\]\['schedules'\]"
    with pytest.raises(ValueError, match=says):
        optimizer.load_state_dict(saved_after(3))
    np.testing.assert_equal(optimizer.param_groups[0], before)


def test_a_schedule_that_one_side_lacks_is_refused():
    optimizer = scheduled_adam(np.ones(3), weight_decay=Constant(0.1))
    with pytest.raises(ValueError, match="weight_decay: no schedule -> Constant"):
        optimizer.load_state_dict(saved_after(3))


def test_what_the_refusal_says_to_do():
    lr = Linear(0.1, 0.0, 20)
    saved = saved_after(3)
    with_numbers = scheduled_adam(np.ones(3), lr=0.5, betas=(0.9, 0.97))
    with_numbers.load_state_dict(saved)
    assert with_numbers.param_groups[0]["schedules"] == saved["param_groups"][0]["schedules"]
    del saved["param_groups"][0]["schedules"]
    own = scheduled_adam(np.ones(3), lr=lr)
    own.load_state_dict(saved)
    assert own.param_groups[0]["lr"] == lr(3)


def test_a_checkpoint_of_torch_keeps_the_schedule_at_its_updates():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    lr = Linear(0.1, 0.0, 10)

    def parameters():
        p = torch.nn.Parameter(torch.ones(3))
        p.grad = torch.ones(3)
        return [p]

    theirs = torch.optim.Adam(parameters(), lr=0.3)
    for _ in range(4):
        theirs.step()
    ours = optim.Adam(parameters(), lr=lr)
    ours.load_state_dict(theirs.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.step()
    assert (ours.param_groups[0]["updates"], ours.param_groups[0]["lr"]) == (5, lr(5))


def test_a_checkpoint_that_counts_no_updates_is_refused():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    p = torch.nn.Parameter(torch.ones(3))
    saved = torch.optim.SGD([p], lr=0.3).state_dict()
    ours = optim.SGD([p], lr=Linear(0.1, 0.0, 10))
    with pytest.raises(
        ValueError, match=r"does not say how many updates .* state_dict\['param_groups'\]\[0\]\['updates'\]"
    ):
        ours.load_state_dict(saved)
    saved["param_groups"][0]["updates"] = 7
    ours.load_state_dict(saved)
    assert ours.param_groups[0]["lr"] == Linear(0.1, 0.0, 10)(7)
