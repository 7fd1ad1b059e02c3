"""torch's schedulers, point by point, as a training loop sees them."""

import pytest

import gradstep as gs
from gradstep import convert
from support.agreement import FLOAT64, assert_agrees

torch = pytest.importorskip("torch")
from torch.optim import lr_scheduler as peer  # noqa: E402

from support.torch_training import BASE, optimizer, run  # noqa: E402

PLAIN = [
    (lambda o: peer.StepLR(o, 7, gamma=0.6), 60),
    (lambda o: peer.MultiStepLR(o, [5, 6, 40], gamma=0.6), 60),
    (lambda o: peer.MultiStepLR(o, [5, 40, 5], gamma=0.6), 60),
    (lambda o: peer.ConstantLR(o, factor=0.25, total_iters=9), 30),
    (lambda o: peer.ConstantLR(o, factor=0.25, total_iters=0), 30),
    (lambda o: peer.LinearLR(o, start_factor=0.2, end_factor=0.7, total_iters=20), 60),
    (lambda o: peer.LinearLR(o, start_factor=0.9, end_factor=0.1, total_iters=20), 60),
    (lambda o: peer.LinearLR(o, start_factor=0.2, total_iters=0), 60),
    (lambda o: peer.ExponentialLR(o, gamma=0.93), 60),
    (lambda o: peer.PolynomialLR(o, total_iters=20, power=1.7), 60),
    (lambda o: peer.CosineAnnealingLR(o, T_max=20, eta_min=0.02), 80),
    (lambda o: peer.CosineAnnealingWarmRestarts(o, 7, T_mult=1, eta_min=0.02), 60),
    (lambda o: peer.CosineAnnealingWarmRestarts(o, 3, T_mult=3, eta_min=0.02), 400),
    (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, 9, base_momentum=0.7, max_momentum=0.95), 60),
    (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, mode="triangular2", cycle_momentum=False), 60),
    (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, 7, mode="exp_range", gamma=0.97), 60),
    (lambda o: peer.OneCycleLR(o, 0.5, 40, pct_start=0.23, div_factor=7.0, final_div_factor=90.0), 40),
    (lambda o: peer.OneCycleLR(o, 0.5, epochs=4, steps_per_epoch=10, anneal_strategy="linear"), 40),
    (lambda o: peer.OneCycleLR(o, 0.5, 40, pct_start=0.4, div_factor=7.0, three_phase=True), 40),
    (
        lambda o: peer.OneCycleLR(
            o, 0.5, 40, 0.33, None, 0.3, "linear", True, 0.8, 0.9, final_div_factor=9.0, three_phase=True
        ),
        40,
    ),
    (
        lambda o: peer.SequentialLR(
            o,
            [
                peer.LinearLR(o, start_factor=0.1, total_iters=5),
                peer.CosineAnnealingLR(o, T_max=20, eta_min=0.01),
                peer.ExponentialLR(o, 0.8),
                peer.CosineAnnealingWarmRestarts(o, 4, 2),
            ],
            [5, 25, 30],
        ),
        80,
    ),
    (lambda o: peer.SequentialLR(o, [peer.ConstantLR(o, 0.1), peer.StepLR(o, 3, 0.5)], [0]), 20),
    (
        lambda o: peer.ChainedScheduler(
            [
                peer.LinearLR(o, start_factor=0.1, total_iters=5),
                peer.ExponentialLR(o, 0.97),
                peer.MultiStepLR(o, [9, 12], gamma=0.5),
                peer.ConstantLR(o, factor=0.5, total_iters=7),
            ]
        ),
        60,
    ),
    (
        lambda o: peer.ChainedScheduler(
            [peer.PolynomialLR(o, 50, 0.7), peer.StepLR(o, 9, 0.8), peer.CosineAnnealingLR(o, T_max=20)]
        ),
        21,
    ),
]


@pytest.mark.parametrize(("make", "steps"), PLAIN)
def test_values_are_those_of_the_training_loop(make, steps):
    scheduler = make(optimizer())
    schedule = convert.from_torch(scheduler)
    assert_agrees(schedule, run(scheduler, steps), FLOAT64)
    assert convert.from_torch(scheduler) == schedule  # at the end of its run
    assert gs.from_json(schedule.to_json()) == schedule


@pytest.mark.parametrize(
    "make",
    [
        lambda o: peer.StepLR(o, 700, gamma=0.97),
        lambda o: peer.MultiStepLR(o, [500, 9000, 60_000], gamma=0.6),
        lambda o: peer.ConstantLR(o, factor=0.25, total_iters=50_000),
        lambda o: peer.LinearLR(o, start_factor=0.2, end_factor=0.7, total_iters=90_000),
        lambda o: peer.ExponentialLR(o, gamma=0.99999),
        lambda o: peer.PolynomialLR(o, total_iters=90_000, power=1.7),
        lambda o: peer.CosineAnnealingLR(o, T_max=99, eta_min=0.02),
    ],
)
def test_T2_long_runs_have_the_values_of_the_formula(make):
    """From which torch's own recursions drift away."""
    scheduler = make(optimizer())
    schedule = convert.from_torch(scheduler)
    for t in (0, 1, 499, 500, 49_999, 60_000, 89_999, 90_000, 100_003):
        scheduler.last_epoch = t
        assert schedule(t) == pytest.approx(scheduler._get_closed_form_lr()[0], rel=0, abs=FLOAT64 * BASE)


def test_every_scheduler_of_torch_is_converted_or_refused():
    known = {*convert.torch.FROM_BASE, *convert.torch.CYCLES, "SequentialLR", "ChainedScheduler"}
    refused = {"LambdaLR", "MultiplicativeLR", "ReduceLROnPlateau", "LRScheduler"}
    assert set(peer.__all__) <= known | refused


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda o: peer.StepLR(o, 7, gamma=0.6), gs.StepDecay(BASE, 7, 0.6)),
        (lambda o: peer.MultiStepLR(o, [5, 40], gamma=0.6), gs.MultiStep(BASE, [5, 40], 0.6)),
        (lambda o: peer.CosineAnnealingLR(o, 20, eta_min=0.02), gs.CosineDecay(BASE, 20, 0.02, past="mirror")),
        (
            lambda o: peer.OneCycleLR(o, 0.5, 37, pct_start=0.23, div_factor=7.0, final_div_factor=90.0),
            gs.OneCycle(0.5, 37, 0.23, 7, 90, end_at="last", past="error"),
        ),
        (lambda o: peer.CyclicLR(o, 0.1, 0.5, 2000), gs.Cyclic(0.1, 0.5, 2000, 2000)),
    ],
)
def test_arguments_are_those_that_were_given(make, expected):
    assert convert.from_torch(make(optimizer())) == expected


MOMENTUM = [
    (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, 9, "triangular2", base_momentum=0.7, max_momentum=0.95), 60),
    (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, 9, "exp_range", 0.97, base_momentum=0.7, max_momentum=0.95), 60),
    (lambda o: peer.OneCycleLR(o, 0.5, 40, pct_start=0.23, base_momentum=0.7, max_momentum=0.97), 40),
    (lambda o: peer.OneCycleLR(o, 0.5, 40, pct_start=0.4, anneal_strategy="linear", three_phase=True), 40),
]


@pytest.mark.parametrize(("make", "steps"), MOMENTUM)
@pytest.mark.parametrize(
    ("kind", "read"), [("SGD", lambda group: group["momentum"]), ("Adam", lambda group: group["betas"][0])]
)
def test_cycled_momentum(make, steps, kind, read):
    scheduler = make(optimizer(kind))
    assert_agrees(convert.from_torch(scheduler, of="momentum"), run(scheduler, steps, read), FLOAT64)


def test_groups():
    def two(other):
        return torch.optim.SGD([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": other}], lr=BASE)

    alike, different = peer.ExponentialLR(two(BASE), 0.9), peer.ExponentialLR(two(0.1), 0.9)
    assert convert.from_torch(alike) == gs.ExponentialDecay(BASE, 0.9)
    assert convert.from_torch(different, group=1) == gs.ExponentialDecay(0.1, 0.9)
    with pytest.raises(ValueError, match="the 2 groups have different schedules: say which, as in group=0"):
        convert.from_torch(different)
    cycle = peer.CyclicLR(two(0.1), [0.1, 0.2], [0.5, 0.7], 4, cycle_momentum=False)
    assert convert.from_torch(cycle, group=1) == gs.Cyclic(0.2, 0.7, 4, 4)


def test_tensor_rates():
    scheduler = peer.ExponentialLR(optimizer(lr=torch.tensor(0.5)), 0.9)
    assert convert.from_torch(scheduler) == gs.ExponentialDecay(0.5, 0.9)


def test_where_torch_goes_on_by_mistake_there_is_no_value():
    cycle = convert.from_torch(peer.OneCycleLR(optimizer(), 0.5, 40))
    with pytest.raises(ValueError, match="no value at t = 40"):
        cycle(40)
    o = optimizer()
    chain = convert.from_torch(peer.ChainedScheduler([peer.ExponentialLR(o, 0.9), peer.CosineAnnealingLR(o, 20)]))
    with pytest.raises(ValueError, match="no value at t = 21"):
        chain(21)
