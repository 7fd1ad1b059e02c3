"""Leaving gradstep in the middle of a run: torch goes on as gradstep would have."""

import io
import re

import pytest

import gradstep as gs
from gradstep import convert
from support.cases import CASES, torch_cases

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

RATE = gs.Linear(0.02, 0.01, 9).warmup(4)


def parameters(dtype=torch.float64):
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(n, dtype=dtype)) for n in (5, 33)]


def gradients(params, t):
    torch.manual_seed(100 + t)
    for p in params:
        p.grad = torch.randn(p.shape, dtype=p.dtype)


def train(params, optimizer, times, scheduler=None):
    for t in times:
        gradients(params, t)
        optimizer.step()
        if scheduler:
            scheduler.step()


@pytest.mark.parametrize("case", torch_cases(CASES), ids=str)
@pytest.mark.parametrize("before", [0, 5])
def test_training_goes_on(case, before):
    params, others = parameters(), parameters()
    ours = case.over_tensors(params, lr=RATE)
    leaving = case.over_tensors(others, lr=RATE)
    train(params, ours, range(before + 7))
    train(others, leaving, range(before))
    optimizer, scheduler = convert.to_torch(leaving)
    assert type(optimizer) is getattr(torch.optim, case.name)
    rates = []
    for t in range(before, before + 7):
        rates.append(optimizer.param_groups[0]["lr"])
        train(others, optimizer, [t], scheduler)
    assert rates == RATE(range(before, before + 7)).tolist()
    for a, b in zip(params, others, strict=True):
        # float64 on both sides, but torch keeps NAdam's product and ASGD's rate in float32.
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)


def test_the_optimizer_is_left_alone():
    params = parameters()
    ours = optim.Adam(params, lr=RATE)
    train(params, ours, range(3))
    optimizer, scheduler = convert.to_torch(ours)
    before = {name: value.clone() for name, value in ours.state[params[0]].items()}
    train(params, optimizer, range(3, 6), scheduler)
    for name, value in before.items():
        assert torch.equal(ours.state[params[0]][name], value)
    assert ours.param_groups[0]["updates"] == 3
    assert ours.param_groups[0]["lr"] == RATE(3)


def test_groups():
    a, b = parameters()
    ours = optim.SGD(
        [{"params": [a], "gradstep_scale": 0.5}, {"params": [b], "lr": 0.3, "name": "head"}], lr=RATE, momentum=0.8
    )
    train([a, b], ours, range(2))
    optimizer, scheduler = convert.to_torch(ours)
    train([a, b], optimizer, [2], scheduler)
    assert scheduler.get_last_lr() == [0.5 * RATE(3), 0.3]
    assert optimizer.param_groups[1]["name"] == "head"
    assert {group["momentum"] for group in optimizer.param_groups} == {0.8}


def test_states_take_the_dtype_that_torch_computes_in():
    params = parameters(torch.bfloat16)
    ours = optim.Adam(params, lr=RATE)
    train(params, ours, range(2))
    optimizer, scheduler = convert.to_torch(ours)
    assert optimizer.state[params[0]]["exp_avg"].dtype == torch.bfloat16
    train(params, optimizer, [2], scheduler)


def test_the_scheduler_can_be_saved():
    _, scheduler = convert.to_torch(optim.SGD(parameters(), lr=RATE))
    file = io.BytesIO()
    torch.save(scheduler.state_dict(), file)
    file.seek(0)
    scheduler.load_state_dict(torch.load(file))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), TypeError, "SGD is not an optimizer of gradstep.optim"),
        (lambda p: gs.SGD([p[0].detach().numpy()], lr=0.1), TypeError, "SGD is not an optimizer of gradstep.optim"),
        (lambda p: optim.Lion(p, lr=0.1), TypeError, "torch has no Lion: its schedules can drive another optimizer"),
        (
            lambda p: optim.SGD(p, lr=0.1, momentum=gs.Linear(0.5, 0.9, 10)),
            ValueError,
            "momentum of group 0 has a schedule, but torch's schedulers only set the rate",
        ),
        (
            lambda p: optim.SGD(p, lr=0.1, decoupled_weight_decay=True),
            ValueError,
            "decoupled_weight_decay of group 0 is True, which torch's class does not have",
        ),
    ],
)
def test_what_is_refused(make, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.to_torch(make(parameters()))
