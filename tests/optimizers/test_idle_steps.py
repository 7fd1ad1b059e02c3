"""Steps that change nothing are told once, with the line of the program; hosts that step so on purpose are not."""

import copy
import inspect
import pickle
import warnings
from functools import partial

import numpy as np
import pytest

import gradstep
from support.arrays import normal

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

NO_GRADIENT = (
    "no parameter has a gradient, so that step() changes nothing: call loss.backward() before it, on a loss of "
)
ENDED = "the schedule of lr has ended at 0: "


def parameter():
    return torch.nn.Parameter(torch.ones(3))


def told(call):
    """The warnings of a call, which must name a line of this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert {each.filename for each in caught} <= {__file__}
    return [str(each.message) for each in caught]


def train(step, updates):
    lines = []
    for t in range(updates):
        if found := told(partial(step, t)):
            lines.append((t, found))
    return lines


@pytest.mark.parametrize("name", ["SGD", "Adam", "Lion", "Adagrad", "ScheduleFreeSGD"])
def test_no_gradient_anywhere(name):
    optimizer = getattr(optim, name)([torch.nn.Parameter(torch.ones(3, 3))])
    ((t, (message,)),) = train(lambda t: optimizer.step(), 3)
    assert t == 0
    assert message.startswith(NO_GRADIENT)


def test_the_line_is_that_of_the_program_through_hooks_and_schedulers():
    optimizer = optim.SGD([parameter()], lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: None)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1.0)  # wraps step
    with pytest.warns(UserWarning, match="no parameter has a gradient") as caught:
        optimizer.step()
    line = inspect.currentframe().f_lineno - 1
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def lacking_later():
    p = parameter()
    optimizer = optim.SGD([p, parameter()], lr=0.1)
    p.grad = torch.ones(3)
    optimizer.step()
    p.grad = None
    return optimizer.step


def at_rate_0():
    return optim.SGD([parameter()], lr=0.0).step


def with_a_closure():
    optimizer = optim.SGD([parameter()], lr=0.1)
    return lambda: optimizer.step(lambda: None)


def skipped_by_a_scaler():
    p = parameter()
    optimizer = optim.SGD([p], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)

    def call():
        scaler.scale((p * torch.inf).sum()).backward()
        scaler.step(optimizer)
        scaler.update()

    return call


def within_backward():
    p = parameter()
    optimizer = optim.SGD([p], lr=0.1, release=True)

    def call():
        p.sum().backward()
        optimizer.step()

    return call


def without_parameters():
    return optim.SGD([{"params": []}], lr=0.1).step


def hidden_by_a_checkpoint():
    model = torch.nn.Linear(2, 2)
    optimizer = optim.Adam(model.parameters())
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    return lambda: get_optimizer_state_dict(model, optimizer)


@pytest.mark.parametrize(
    "make",
    [
        lacking_later,
        at_rate_0,
        with_a_closure,
        skipped_by_a_scaler,
        within_backward,
        without_parameters,
        hidden_by_a_checkpoint,
    ],
)
def test_steps_without_gradients_on_purpose(make):
    assert told(make()) == []


def test_what_is_refused_is_not_told_beside():
    optimizer = optim.SGD([parameter()], lr=0.1)
    optimizer.param_groups[0]["lr"] = -1.0

    def call():
        with pytest.raises(ValueError, match="Invalid learning rate"):
            optimizer.step()

    assert told(call) == []


def over_arrays(lr):
    optimizer = gradstep.SGD([np.ones(3)], lr=lr)
    return optimizer, lambda t: optimizer.step([np.ones(3)])


def over_tensors(lr):
    p = parameter()
    p.grad = torch.ones(3)
    optimizer = optim.SGD([p], lr=lr)
    return optimizer, lambda t: optimizer.step()


@pytest.mark.parametrize("make", [over_arrays, over_tensors])
@pytest.mark.parametrize(
    ("schedule", "at"),
    [
        (gradstep.Linear(1.0, 0.0, 3), 3),
        (gradstep.CosineDecay(1.0, 5).warmup(3), 7),
        (gradstep.Linear(1.0, 0.0, 4, end_at="last"), 3),
    ],
)
def test_a_schedule_that_has_ended_at_0_is_told_once(make, schedule, at):
    ((t, (message,)),) = train(make(schedule)[1], 12)
    assert t == at
    assert (
        message == f"{ENDED}{schedule!r} is 0 from t = {at} on, where steps change nothing; give it more steps, or "
        "end it above 0"
    )


@pytest.mark.parametrize("make", [over_arrays, over_tensors])
@pytest.mark.parametrize(
    "schedule",
    [
        gradstep.Linear(1.0, 0.0, 12),
        gradstep.Linear(1.0, 0.1, 3),
        gradstep.Linear(1.0, 0.0, 3, past="mirror"),
        gradstep.Linear(1.0, 0.0, 3, end_at="last", past="repeat"),
        gradstep.Constant(0.1).warmup(3, offset=0),
        gradstep.join([gradstep.Constant(0.1), gradstep.Constant(0.0), gradstep.Constant(0.1)], [3, 2000]),
        gradstep.Constant(0.0),
    ],
    ids=repr,
)
def test_a_rate_of_0_that_is_no_end(make, schedule):
    assert train(make(schedule)[1], 12) == []


def test_a_copy_tells_it_again():
    optimizer, step = over_arrays(gradstep.Linear(1.0, 0.0, 2))
    assert len(train(step, 4)) == 1
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert len(train(lambda t, other=other: other.step([normal(0, 3, "f64")]), 3)) == 1
