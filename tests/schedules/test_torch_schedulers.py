"""Schedules of gradstep as the functions that torch's own schedulers call, save and load."""

import copy
import io
import json
import pickle

import pytest

import gradstep
from support.compositions import COMPOSED
from support.schedule_reference import LEAVES

torch = pytest.importorskip("torch")

from torch.optim.lr_scheduler import CyclicLR, LambdaLR, MultiplicativeLR, SequentialLR  # noqa: E402

from gradstep import optim  # noqa: E402

SCHEDULE = gradstep.CosineDecay(1.0, 20).warmup(5)


def over(make):
    return make(optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.5, momentum=0.5))


def by_lambda(schedule):
    return lambda optimizer: LambdaLR(optimizer, schedule)


def cyclic(schedule):
    return lambda optimizer: CyclicLR(optimizer, 0.0, 1.0, step_size_up=50, scale_fn=schedule, scale_mode="iterations")


#: each by the entry of its state_dict in which it saves a callable
MAKERS = {
    "lr_lambdas": by_lambda(SCHEDULE),
    "lr_lambdas ": lambda optimizer: MultiplicativeLR(optimizer, SCHEDULE),
    "_scale_fn_custom": cyclic(SCHEDULE),
}


def saved_by_torch(state, weights_only=True):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=weights_only)


COPIES = {
    "torch": saved_by_torch,
    "pickle": lambda state: pickle.loads(pickle.dumps(state)),
    "deepcopy": copy.deepcopy,
    "json": lambda state: json.loads(json.dumps(state)),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("make", MAKERS.values(), ids=["LambdaLR", "MultiplicativeLR", "CyclicLR"])
def test_a_schedulers_state_is_plain_data_and_goes_on(make, copied):
    first, second = over(make), over(make)
    for _ in range(7):
        first.optimizer.step()
        first.step()
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.load_state_dict(copied(first.state_dict()))
    for _ in range(3):
        for each in (first, second):
            each.optimizer.step()
            each.step()
        assert second.get_last_lr() == first.get_last_lr()
        assert second.optimizer.param_groups[0]["lr"] == first.optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("schedule", LEAVES + COMPOSED, ids=repr)
def test_every_schedule_is_saved_and_loaded(schedule):
    saved = saved_by_torch(over(by_lambda(schedule)).state_dict())
    over(by_lambda(schedule)).load_state_dict(saved)
    assert gradstep.from_json(saved["lr_lambdas"][0]) == schedule


@pytest.mark.parametrize("name", ["lr_lambdas", "_scale_fn_custom"])
def test_another_schedule_is_refused_and_changes_nothing(name):
    make = {"lr_lambdas": by_lambda, "_scale_fn_custom": cyclic}[name]
    given = gradstep.CosineDecay(1.0, 30).warmup(5)
    saved = over(make(SCHEDULE)).state_dict()
    scheduler = over(make(given))
    with pytest.raises(ValueError, match=rf"another schedule .*:\nbase.steps .*: 20 -> 30\n.* put None(.|\n)*'{name}'"):
        scheduler.load_state_dict(saved)
    assert given == gradstep.CosineDecay(1.0, 30).warmup(5)
    assert given(20) == gradstep.CosineDecay(1.0, 30).warmup(5)(20)
    saved[name] = [None] if name == "lr_lambdas" else None
    over(make(given)).load_state_dict(saved)  # as the message says


@pytest.mark.parametrize("foreign", [{}, {"factor": 3.0}])
def test_what_another_function_has_saved_is_no_schedule(foreign):
    state = over(by_lambda(SCHEDULE)).state_dict() | {"lr_lambdas": [foreign]}
    with pytest.raises(TypeError, match="is not a stored schedule"):
        over(by_lambda(SCHEDULE)).load_state_dict(state)


def test_schedulers_themselves_and_their_sequences_are_copied():
    scheduler = over(by_lambda(SCHEDULE))
    assert copy.deepcopy(scheduler).lr_lambdas == [SCHEDULE]
    assert pickle.loads(pickle.dumps(scheduler)).lr_lambdas == [SCHEDULE]
    optimizer = scheduler.optimizer
    both = SequentialLR(optimizer, [LambdaLR(optimizer, SCHEDULE), LambdaLR(optimizer, gradstep.Constant(0.5))], [3])
    both.load_state_dict(saved_by_torch(both.state_dict()))
    optimizer.step()
    both.step()
    assert optimizer.param_groups[0]["lr"] == 0.5 * SCHEDULE(1)


def test_arguments_are_listed():
    assert vars(gradstep.Linear(0.5, 0.0, 10)) == {
        "schedule": "Linear",
        "init": 0.5,
        "end": 0.0,
        "steps": 10,
        "end_at": "steps",
        "past": "hold",
    }
    assert {"init", "steps", "warmup"} <= set(dir(gradstep.Linear(0.5, 0.0, 10)))
