"""Any hyper-parameter as a schedule: the same bits as the values written by hand, on arrays and tensors."""

import gc
import warnings

import numpy as np
import pytest

import gradstep
from gradstep import Constant, CosineDecay, Linear, rules
from support.arrays import assert_same_bits, normal, to_torch
from support.cases import CASES
from support.tolerances import FEW_ULP

STEPS = 6
SIZE = 70

PLACES = [
    (case, name, place)
    for case in CASES
    for name, place in getattr(rules, case.name).hyperparameters().items()
    if place.is_in(case.group()) and not place.read_once and place.get(case.group())  # a momentum of 0 is another rule
]
each_place = pytest.mark.parametrize(("case", "name", "place"), PLACES, ids=lambda v: getattr(v, "key", str(v)))


def falling(value):
    return Linear(value, 0.9 * value if value <= 1 else 1 + (value - 1) / 2, STEPS)


def with_schedule(case, place):
    """The case's hyper-parameters with a schedule at one place, and the schedule."""
    hyper = dict(case.hyper)
    schedule = falling(place.get(hyper if place.is_in(hyper) else case.group()))
    hyper.setdefault(place.key, case.group()[place.key])
    place.put(hyper, schedule)
    return hyper, schedule


def gradients():
    return [normal(t, SIZE, "f64") for t in range(1, STEPS + 1)]


def by_hand(case, place, schedule):
    p = normal(0, SIZE, "f64")
    optimizer = case.over([p])
    for t, g in enumerate(gradients()):
        place.put(optimizer.param_groups[0], schedule(t))
        optimizer.step([g])
    return p


@each_place
def test_over_arrays(case, name, place):
    hyper, schedule = with_schedule(case, place)
    p = normal(0, SIZE, "f64")
    optimizer = getattr(gradstep, case.name)([p], **hyper)
    for t, g in enumerate(gradients()):
        assert place.get(optimizer.param_groups[0]) == schedule(t)
        optimizer.step([g])
    assert_same_bits(p, by_hand(case, place, schedule))


@each_place
def test_over_tensors(case, name, place):
    pytest.importorskip("torch")
    from gradstep import optim

    hyper, schedule = with_schedule(case, place)
    p = normal(0, SIZE, "f64")
    tensor = to_torch(p)
    optimizer = getattr(optim, case.name)([tensor], **hyper)
    for g in gradients():
        tensor.grad = to_torch(g)
        optimizer.step()
    assert_same_bits(p, by_hand(case, place, schedule))


def test_in_functional():
    p, m, v = normal(0, SIZE), np.zeros(SIZE, np.float32), np.zeros(SIZE, np.float32)
    q, n, w = p.copy(), m.copy(), v.copy()
    lr, beta1, decay = Linear(0.3, 0.1, 10), Linear(0.9, 0.8, 10), Linear(0.1, 0.2, 10)
    for step in range(1, 4):
        g = normal(step, SIZE)
        gradstep.functional.adamw_(p, g, m, v, step=step, lr=lr, betas=(beta1, 0.97), weight_decay=decay)
        now = {"lr": lr(step - 1), "betas": (beta1(step - 1), 0.97), "weight_decay": decay(step - 1)}
        gradstep.functional.adamw_(q, g, n, w, step=step, **now)
    assert_same_bits(p, q)


def test_each_group_has_its_own():
    p, q = np.ones(3), np.ones(3)
    slow, fast = Linear(0.1, 0.0, 10), Linear(1.0, 0.5, 10)
    optimizer = gradstep.SGD([{"params": [p], "lr": slow}, {"params": [q], "lr": fast, "momentum": Constant(0.5)}])
    for _ in range(2):
        optimizer.step([np.ones(3), np.zeros(3)])
    optimizer.add_param_group({"params": [np.ones(3)], "lr": fast})
    assert [group["lr"] for group in optimizer.param_groups] == [slow(2), fast(2), fast(2)]
    np.testing.assert_allclose(p, 1 - slow(0) - slow(1), rtol=FEW_ULP)  # a few roundings of numbers near 1


def test_momentum_that_starts_at_zero_gets_its_buffer_when_it_is_needed():
    p, q = normal(0, SIZE), normal(0, SIZE)
    momentum = Constant(0.0).then(0.9, at=2)
    scheduled = gradstep.SGD([p], lr=0.1, momentum=momentum)
    manual = gradstep.SGD([q], lr=0.1)
    for t in range(5):
        manual.param_groups[0]["momentum"] = momentum(t)
        scheduled.step([normal(t, SIZE)])
        manual.step([normal(t, SIZE)])
        assert ("momentum_buffer" in scheduled.state[0]) == (t >= 2)
    assert_same_bits(p, q)


def test_a_schedule_written_into_a_group_takes_over_at_the_clock():
    optimizer = gradstep.Adam([np.ones(3)], lr=Linear(0.1, 0.0, 10), betas=(0.9, 0.99))
    optimizer.step([np.ones(3)])
    group = optimizer.param_groups[0]
    group["lr"], group["betas"] = CosineDecay(1.0, 10), (Linear(0.9, 0.8, 10), 0.99)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step([np.ones(3)])
    assert (group["lr"], group["betas"]) == (CosineDecay(1.0, 10)(2), (Linear(0.9, 0.8, 10)(2), 0.99))


def test_a_schedule_written_into_a_group_without_any_starts_at_0():
    p = np.ones(3)
    optimizer = gradstep.SGD([p], lr=0.5)
    optimizer.step([np.zeros(3)])
    optimizer.param_groups[0]["lr"] = Linear(0.25, 0.0, 10)
    optimizer.step([np.ones(3)])
    np.testing.assert_array_equal(p, 0.75)


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}])
def test_a_schedule_written_into_a_group_stays_there_when_the_step_is_refused(options):
    optimizer = gradstep.SGD([np.ones(3)], lr=Linear(0.1, 0.0, 10), **options)
    group = optimizer.param_groups[0]
    group["lr"] = CosineDecay(1.0, 10)
    before = dict(group)
    with pytest.raises(ValueError, match="shape"):
        optimizer.step([np.ones(4)])
    assert group == before
    for _ in range(options.get("accumulate", 1)):
        optimizer.step([np.ones(3)])
    assert group["lr"] == CosineDecay(1.0, 10)(1)


@pytest.mark.parametrize("counting", [False, True])
def test_a_schedule_written_for_a_device_stays_there_when_the_step_is_refused(counting):
    torch = pytest.importorskip("torch")
    from gradstep import optim
    from support.devices import device_named

    with device_named("emulated").stepping():
        p = torch.ones(3)
        optimizer = optim.SGD([p], lr=Linear(0.5, 0.0, 10) if counting else 0.5)
        p.grad = torch.zeros(3)
        optimizer.step()
        group = optimizer.param_groups[0]
        group["lr"] = Linear(0.25, 0.0, 10)
        before = dict(group)
        p.grad = torch.ones(3).to_sparse()
        with pytest.raises(TypeError, match="sparse"):
            optimizer.step()
        assert group == before
        p.grad = torch.ones(3)
        optimizer.step()
        optimizer.state_dict()
        assert_same_bits(p.numpy(), np.full(3, 1 - Linear(0.25, 0.0, 10)(1 if counting else 0), np.float32))
        assert group["lr"] == Linear(0.25, 0.0, 10)(2 if counting else 1)


@pytest.fixture
def failing_once(monkeypatch):
    """A schedule that has no value at one step the first time that it is asked for it."""
    asked, value = [], Linear.__call__

    def call(schedule, t):
        if t == 2 and not asked:
            asked.append(t)
            raise ValueError("no value this once")
        return value(schedule, t)

    monkeypatch.setattr(Linear, "__call__", call)
    return Linear(0.5, 0.0, 8)


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"momentum": 0.5, "clip_norm": 0.1}])
def test_a_schedule_that_failed_once_gives_its_value_in_the_step(failing_once, options):
    p, q = np.ones(3), np.ones(3)
    optimizer, other = gradstep.SGD([p], lr=failing_once, **options), gradstep.SGD([q], lr=0.5, **options)
    for t in range(5):
        other.param_groups[0]["lr"] = 0.5 * (1 - t / 8)
        for _ in range(options.get("accumulate", 1)):
            optimizer.step([normal(t, 3, "f64")])
            other.step([normal(t, 3, "f64")])
    assert_same_bits(p, q)


@pytest.mark.parametrize("options", [{}, {"release": True}])
def test_a_schedule_that_failed_once_gives_its_value_to_tensors(failing_once, options):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    p = torch.ones(3, dtype=torch.float64, requires_grad=True)
    optimizer = optim.SGD([p], lr=failing_once, **options)
    for _ in range(4):
        p.sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    np.testing.assert_array_equal(p.detach().numpy(), 1 - 0.5 * (1 + 7 / 8 + 6 / 8 + 5 / 8))  # exact in binary


def test_a_schedule_that_has_ended_refuses_releasing_before_anything_is_written():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    p = torch.ones(3, requires_grad=True)
    optimizer = optim.SGD([p], lr=Linear(1.0, 0.5, 1, past="error"), release=True)
    for _ in range(2):
        p.sum().backward()
        optimizer.step()
    before = p.detach().clone()
    with pytest.raises(ValueError, match="past"):
        p.sum().backward()
    assert torch.equal(p, before)


def test_one_of_a_pair_written_from_outside_takes_over():
    optimizer = gradstep.Adam([np.ones(3)], lr=0.1, betas=(Linear(0.9, 0.8, 10), Linear(0.99, 0.9, 10)))
    optimizer.step([np.ones(3)])
    group = optimizer.param_groups[0]
    group["betas"] = (0.5, group["betas"][1])
    with pytest.warns(UserWarning, match=r"group\['betas'\]\[0\] was set to 0.5 from outside and takes over from its"):
        optimizer.step([np.ones(3)])
    assert group["betas"] == (0.5, Linear(0.99, 0.9, 10)(2))
    assert group["schedules"] == {"beta1": "", "beta2": Linear(0.99, 0.9, 10).to_json()}


@pytest.mark.parametrize("name", ["maximize", "initial_accumulator_value"])
def test_what_is_no_number_of_each_step_takes_none(name):
    with pytest.raises(
        TypeError, match=rf"{name} can't take a schedule, got Constant\(value=1.0\): pass a fixed value"
    ):
        gradstep.Adagrad([np.ones(3)], **{name: Constant(1.0)})


def test_a_schedule_that_leaves_the_interval_is_refused_before_anything_is_written():
    p = np.ones(3)
    optimizer = gradstep.Adam([p], lr=0.1, betas=(Linear(0.9, 1.1, 2), 0.99))
    optimizer.step([np.ones(3)])
    before = p.copy()
    with pytest.raises(ValueError, match=r"at index 0: 1.0: beta1 must be a number in \[0, 1\)"):
        optimizer.step([np.ones(3)])
    np.testing.assert_array_equal(p, before)


def containers_made_by_a_step(groups):
    """How many objects there are after a step that Python's garbage collector visits and that were not there before."""
    arrays = [np.ones(3) for _ in range(groups)]
    optimizer = gradstep.Adam([{"params": [array]} for array in arrays], lr=Linear(0.1, 0.0, 10))
    for _ in range(3):
        optimizer.step(arrays)
    gc.collect()
    gc.disable()
    try:
        before = gc.get_objects()
        known = set(map(id, before))
        optimizer.step(arrays)
        return sum(id(each) not in known for each in gc.get_objects())
    finally:
        gc.enable()


def test_a_step_leaves_the_garbage_collector_few_objects_for_each_group():
    # Those that hold a group's values and what was made of them, which were 15. The collector visits all that there
    # are the more often the more are made, so that the time of 10,000 groups would grow faster than their number.
    assert containers_made_by_a_step(30) - containers_made_by_a_step(10) <= 20 * 5


def test_groups_hold_what_their_schedules_have_alike_once():
    def held():
        gc.collect()
        return sum(type(each) is Linear for each in gc.get_objects())

    rate, before = Linear(0.1, 0.0, 10), held()
    optimizer = gradstep.SGD([{"params": [np.ones(3)]} for _ in range(20)], lr=rate)
    assert held() - before == 1
    assert [group["schedules"] for group in optimizer.param_groups] == [{"lr": rate.to_json()}] * 20
