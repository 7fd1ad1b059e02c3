"""timm's schedulers, point by point."""

import importlib.util
import re
import sys
import types

import pytest

import gradstep as gs
from gradstep import convert
from support.agreement import FLOAT64, assert_agrees

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

BASE = 0.3


def timm_schedulers():
    """They need torch alone; the rest of timm needs a torchvision that was built for the same torch."""
    if (found := importlib.util.find_spec("timm")) is None:
        pytest.skip("timm is not installed", allow_module_level=True)
    package = types.ModuleType("timm")
    package.__path__ = found.submodule_search_locations
    sys.modules["timm"] = package
    try:
        return importlib.import_module("timm.scheduler")
    finally:
        del sys.modules["timm"]


peer = timm_schedulers()


def optimizer(**options):
    return torch.optim.SGD([{"params": [torch.zeros(1)], **options}], lr=BASE)


def run(scheduler, steps):
    values = []
    for t in range(steps):
        scheduler.step(t)
        values.append(scheduler.optimizer.param_groups[0]["lr"])
    return values


WARM = {"warmup_t": 6, "warmup_lr_init": 0.01}


@pytest.mark.parametrize("warmup", [{}, {**WARM, "warmup_prefix": True}, {**WARM, "warmup_prefix": False}], ids=repr)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("CosineLRScheduler", {"t_initial": 37, "lr_min": 0.02}),
        ("CosineLRScheduler", {"t_initial": 37, "lr_min": 0.02, "k_decay": 1.3}),
        ("CosineLRScheduler", {"t_initial": 9, "lr_min": 0.02, "cycle_decay": 0.6, "cycle_limit": 4}),
        ("CosineLRScheduler", {"t_initial": 8, "lr_min": 0.02, "cycle_mul": 1.5, "cycle_limit": 3, "k_decay": 1.3}),
        ("TanhLRScheduler", {"t_initial": 37, "lr_min": 0.02, "lb": -5.0, "ub": 2.0}),
        ("TanhLRScheduler", {"t_initial": 9, "lr_min": 0.02, "cycle_mul": 2, "cycle_decay": 0.6, "cycle_limit": 3}),
        ("PolyLRScheduler", {"t_initial": 37, "lr_min": 0.02, "power": 1.7, "k_decay": 1.3}),
        ("PolyLRScheduler", {"t_initial": 9, "cycle_mul": 2, "cycle_decay": 0.6, "cycle_limit": 3}),
        ("StepLRScheduler", {"decay_t": 7, "decay_rate": 0.6}),
        ("MultiStepLRScheduler", {"decay_t": [5, 6, 40], "decay_rate": 0.6}),
        ("MultiStepLRScheduler", {"decay_t": [0, 1, 5, 5], "decay_rate": 0.6}),
    ],
)
def test_values_are_timms(kind, options, warmup):
    scheduler = getattr(peer, kind)(optimizer(), **options, **warmup)
    schedule = convert.from_timm(scheduler)
    assert_agrees(schedule, run(scheduler, 120), FLOAT64)
    assert gs.from_json(schedule.to_json()) == schedule


needs_wsd = pytest.mark.skipif(not hasattr(peer, "WSDLRScheduler"), reason="this timm has no WSDLRScheduler yet")


@needs_wsd
@pytest.mark.parametrize("warmup", [{}, WARM], ids=repr)
@pytest.mark.parametrize(
    "options",
    [
        {"decay_fn": "linear"},
        {"decay_fn": "1-sqrt", "lr_min": 0.0},
        {"decay_fn": "cosine", "stable_fn": "rsqrt", "stable_timescale": 4.5},
        {"decay_fn": "power", "decay_power": 1.7, "stable_fn": "power", "stable_power": 0.8, "stable_timescale": 2.0},
        {"decay_fn": "exp", "decay_ratio": 0.2},
        {"decay_fn": "exp", "decay_ratio": 0.2, "stable_fn": "power", "stable_power": 3.0, "stable_timescale": 3.0},
    ],
    ids=repr,
)
def test_wsd(options, warmup):
    scheduler = peer.WSDLRScheduler(
        optimizer(), **{"t_initial": 37, "decay_t": 13, "lr_min": 0.02, **options, **warmup}
    )
    assert_agrees(convert.from_timm(scheduler), run(scheduler, 120), FLOAT64)


@needs_wsd
def test_wsd_with_a_function_is_refused():
    with pytest.raises(TypeError, match="WSDLRScheduler with a function as decay_fn can't be converted"):
        convert.from_timm(peer.WSDLRScheduler(optimizer(), 9, 3, decay_fn=abs))


def test_groups_and_their_scales():
    groups = [{"params": [torch.zeros(1)], "lr_scale": 0.5}, {"params": [torch.zeros(1)], "lr": 0.1}]
    scheduler = peer.StepLRScheduler(torch.optim.SGD(groups, lr=BASE), decay_t=7, decay_rate=0.6)
    assert_agrees(convert.from_timm(scheduler, group=0), run(scheduler, 60), FLOAT64)
    assert convert.from_timm(scheduler, group=1) == gs.StepDecay(0.1, 7, 0.6)
    with pytest.raises(ValueError, match="the 2 groups have different schedules: say which, as in group=0"):
        convert.from_timm(scheduler)


def rates(optimizer):
    """The amount that a step of rate 1 subtracts from each parameter."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    before = [p.detach().clone() for p in params]
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    return [float((p - q).detach().sum()) for p, q in zip(before, params, strict=True)]


def test_a_scheduler_of_timm_converted_for_one_group():
    def groups():
        scaled = {"params": [torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], "lr_scale": 0.5}
        return [scaled, {"params": [torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))]}]

    theirs = torch.optim.SGD(groups(), lr=0.25)
    scheduler = peer.StepLRScheduler(theirs, decay_t=2, decay_rate=0.5)
    schedules = [convert.from_timm(scheduler, group=i) for i in range(2)]
    ours = optim.SGD(groups(), lr=0.25)
    for group, schedule in zip(ours.param_groups, schedules, strict=True):
        group["lr"] = schedule
    driven = torch.optim.SGD(groups(), lr=0.25)
    driver = gs.attach(driven, lr=schedules)
    for t in range(1, 5):
        expected = rates(theirs)
        assert rates(ours) == expected
        assert rates(driven) == expected
        scheduler.step(t)
        driver.step()


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda o: peer.StepLRScheduler(o, 7, noise_range_t=3), TypeError, "a scheduler with noise can't be converted"),
        (lambda o: peer.StepLRScheduler(o, 2.5), ValueError, "decay_t is 2.5: a schedule counts whole updates"),
        (
            lambda o: peer.CosineLRScheduler(o, 5, cycle_mul=1.5, cycle_limit=3),
            ValueError,
            "t_initial * cycle_mul**i is 7.5: a schedule counts whole updates",
        ),
        (lambda o: peer.PlateauLRScheduler(o), TypeError, "PlateauLRScheduler of timm can't be converted"),
    ],
)
@pytest.mark.filterwarnings("ignore:PlateauLRScheduler is deprecated")
def test_what_is_refused(make, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.from_timm(make(optimizer()))
