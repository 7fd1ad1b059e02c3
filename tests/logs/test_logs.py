"""Logs of steps: the numbers against formulas, and skipped steps."""

import math

import numpy as np
import pytest

import gradstep
from gradstep.logs import StepLog
from support.arrays import normal, to_torch

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from support.tolerances import FEW_ULP, MANY_ROUNDINGS, SINGLE  # noqa: E402


class Memory:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.steps, self.rows = [], []

    def write(self, step, values):
        self.steps.append(step)
        self.rows.append(dict(values))

    def close(self):
        self.rows.append("closed")


def gradients_at(t):
    return [normal(10 * t + i, n, "f64") for i, n in enumerate((3, 4))]


def expected_rows(steps, rate):
    """Gradient descent's own numbers."""
    size = [math.sqrt(sum((array**2).sum() for array in gradients_at(t))) for t in steps]
    return [
        {"rate": rate(t), "gradient_norm": n, "update_norm": rate(t) * n, "skipped_steps": 0}
        for t, n in zip(steps, size, strict=True)
    ]


def assert_rows(found, expected):
    for row, known in zip(found, expected, strict=True):
        assert list(row) == list(known)
        # sums of seven squares, and the update as the difference of parameters of size 1
        assert list(row.values()) == pytest.approx(list(known.values()), rel=MANY_ROUNDINGS)


RATE = gradstep.Linear(0.5, 0.1, steps=10)


@pytest.mark.parametrize("every", [1, 3])
def test_the_numbers_of_an_optimizer_over_arrays(every):
    arrays = [normal(1, 3, "f64"), normal(2, 4, "f64")]
    optimizer = gradstep.SGD(arrays, lr=RATE)
    memory = Memory()
    log = StepLog(optimizer, memory, every=every)
    for t in range(7):
        with log.step(gradients_at(t)):
            optimizer.step(gradients_at(t))
    log.close()
    assert memory.steps == list(range(0, 7, every))
    assert memory.rows.pop() == "closed"
    assert_rows(memory.rows, expected_rows(memory.steps, RATE))


def parameters():
    return [torch.nn.Parameter(to_torch(normal(1, 3, "f64"))), torch.nn.Parameter(to_torch(normal(2, 4, "f64")))]


def give(params, t):
    for parameter, gradient in zip(params, gradients_at(t), strict=True):
        parameter.grad = to_torch(gradient)


@pytest.mark.parametrize("make", [optim.SGD, torch.optim.SGD], ids=["gradstep", "torch"])
def test_the_numbers_of_an_optimizer_over_tensors(make):
    params, memory = parameters(), Memory()
    optimizer = make(params, lr=0.25)
    log = StepLog(optimizer, memory, every=2)
    for t in range(5):
        give(params, t)
        with log.step():
            optimizer.step()
    assert_rows(memory.rows, expected_rows([0, 2, 4], lambda t: 0.25))


def test_a_rate_for_each_group_with_its_scale():
    arrays = [np.ones(1), np.ones(1)]
    optimizer = gradstep.SGD(
        [{"params": arrays[:1], "lr": np.array(0.5)}, {"params": arrays[1:], "gradstep_scale": 0.25}], lr=0.1
    )
    memory = Memory()
    log = StepLog(optimizer, memory)
    with log.step([np.ones(1), None]):
        optimizer.step([np.ones(1), None])
    assert memory.rows == [
        {"rate/0": 0.5, "rate/1": 0.025, "gradient_norm": 1.0, "update_norm": 0.5, "skipped_steps": 0}
    ]


def test_an_attached_optimizer_has_its_scale_in_the_rate_already():
    params, memory = parameters(), Memory()
    optimizer = torch.optim.SGD(params, lr=7.0)
    optimizer.param_groups[0]["gradstep_scale"] = 0.5
    gradstep.attach(optimizer, lr=0.25)
    log = StepLog(optimizer, memory)
    give(params, 0)
    with log.step():
        optimizer.step()
    assert memory.rows[0]["rate"] == 0.125


SKIPPING = [
    (lambda params: optim.Adam(params, lr=0.1), "gradstep"),
    (lambda params: optim.SGD(params, lr=0.1), "gradstep, no count"),
    (lambda params: torch.optim.Adam(params, lr=0.1), "torch"),
    (lambda params: torch.optim.Adam(params, lr=0.1, fused=True), "torch, which skips inside of its kernel"),
    (lambda params: torch.optim.SGD(params, lr=0.1), "torch, no count"),
]


@pytest.mark.parametrize("make", [make for make, _ in SKIPPING], ids=[name for _, name in SKIPPING])
def test_steps_that_a_scaler_skips_are_counted_written_or_not(make):
    params = [torch.nn.Parameter(torch.ones(3))]
    optimizer = make(params)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    memory = Memory()
    log = StepLog(optimizer, memory, every=2)
    for gradient in (math.inf, 1.0, 1.0, math.nan, 1.0, math.inf, 1.0):
        params[0].grad = None
        scaler.scale((params[0] * gradient).sum()).backward()
        with log.step():
            scaler.step(optimizer)
        scaler.update()
    assert [row["skipped_steps"] for row in memory.rows] == [1, 1, 2, 3]
    assert [row["update_norm"] > 0 for row in memory.rows] == [False, True, True, True]
    # of the gradient without the loss's scale; float32 holds the ones exactly
    assert [row["gradient_norm"] for row in memory.rows] == [math.inf, *[pytest.approx(math.sqrt(3), rel=FEW_ULP)] * 3]


@pytest.mark.parametrize("rule", [gradstep.Adam, gradstep.SGD])
@pytest.mark.parametrize("rate", [0.1, RATE], ids=["number", "schedule"])
def test_steps_over_arrays_that_are_not_made_are_counted(rule, rate):
    array = np.ones(2)
    optimizer = rule([array], lr=rate)
    memory = Memory()
    log = StepLog(optimizer, memory)
    for gradient in (None, np.ones(2), None, np.ones(2)):
        with log.step([gradient]):
            if gradient is not None:
                optimizer.step([gradient])
    assert [row["skipped_steps"] for row in memory.rows] == [1, 1, 2, 2]


@pytest.mark.parametrize("stats", [False, True])
def test_gradsteps_optimizers_measure_in_their_own_pass(stats, monkeypatch):
    for name in ("copies", "norm", "norm_of_change"):
        monkeypatch.delattr(f"gradstep.logs.measurement.{name}")
    optimizer, memory = gradstep.SGD([np.zeros(2)], lr=0.5, stats=stats), Memory()
    log = StepLog(optimizer, memory)
    with log.step([np.array([3.0, 4.0])]):
        optimizer.step([np.array([3.0, 4.0])])
    assert memory.rows == [{"rate": 0.5, "gradient_norm": 5.0, "update_norm": 2.5, "skipped_steps": 0}]
    assert optimizer.param_groups[0]["stats"] is stats
    with pytest.raises(ValueError, match="shape"), log.step([np.ones(3)]):
        optimizer.step([np.ones(3)])
    assert optimizer.param_groups[0]["stats"] is stats


def test_a_step_that_the_optimizer_skips_changes_nothing():
    optimizer, memory = gradstep.SGD([np.zeros(2)], lr=0.5), Memory()
    log = StepLog(optimizer, memory)
    with log.step([np.array([3.0, 4.0])]):
        optimizer.step([np.array([3.0, 4.0])], found_inf=1)
    assert (memory.rows[0]["gradient_norm"], memory.rows[0]["update_norm"]) == (5.0, 0.0)


def test_the_micro_batches_of_an_update_are_one_step():
    optimizer, memory = gradstep.SGD([np.zeros(2)], lr=RATE, accumulate=2), Memory()
    log = StepLog(optimizer, memory)
    for size in (1.0, 3.0, 2.0, 6.0, 7.0):
        gradient = [np.array([0.0, size])]
        with log.step(gradient):
            optimizer.step(gradient)
    assert memory.steps == [0, 1]
    assert [row["gradient_norm"] for row in memory.rows] == [2.0, 4.0]
    assert [row["update_norm"] for row in memory.rows] == [pytest.approx(RATE(0) * 2), pytest.approx(RATE(1) * 4)]
    assert log.skipped == 0


def test_updates_within_backward():
    p, memory = torch.nn.Parameter(torch.zeros(2)), Memory()
    optimizer = optim.Adam([p], lr=0.5, release=True)
    log = StepLog(optimizer, memory)
    with log.step():
        (p * torch.tensor([3.0, 4.0])).sum().backward()
        optimizer.step()
    # Adam's first update is of the rate's size in each element, but for eps, in float32
    update_norm = pytest.approx(0.5 * math.sqrt(2), rel=SINGLE)
    assert memory.rows == [{"rate": 0.5, "gradient_norm": 5.0, "update_norm": update_norm, "skipped_steps": 0}]


def test_a_closure_that_makes_the_gradients_is_a_step():
    params, memory = parameters(), Memory()
    optimizer = torch.optim.SGD(params, lr=0.1)
    log = StepLog(optimizer, memory)

    def closure():
        give(params, 0)

    with log.step():
        optimizer.step(closure)
    assert_rows(memory.rows, expected_rows([0], lambda t: 0.1))


def test_a_step_that_raises_is_neither_counted_nor_written():
    optimizer, memory = gradstep.SGD([np.ones(2)], lr=0.1), Memory()
    log = StepLog(optimizer, memory)
    with pytest.raises(ValueError, match="shape"), log.step([np.ones(3)]):
        optimizer.step([np.ones(3)])
    assert (log.state_dict(), memory.rows) == ({"steps": 0, "skipped": 0}, [])


def test_a_resumed_log_goes_on_counting():
    optimizer, memory = gradstep.SGD([np.ones(2)], lr=0.1), Memory()
    log = StepLog(optimizer, memory, every=5)
    log.load_state_dict({"steps": 9, "skipped": 2})
    for _ in range(3):
        with log.step([np.ones(2)]):
            optimizer.step([np.ones(2)])
    assert memory.steps == [10]
    assert log.state_dict() == {"steps": 12, "skipped": 2}


def test_refusals():
    optimizer = gradstep.SGD([np.ones(2)], lr=0.1)
    with pytest.raises(ValueError, match="every is 0: it counts steps and must be a whole number, 1 or more"):
        StepLog(optimizer, every=0)
    with (
        pytest.raises(TypeError, match=r"over arrays: pass the gradients of its step, log.step\(gradients\)"),
        StepLog(optimizer).step(),
    ):
        pass


def over_one(memory, every=1, **options):
    return StepLog(gradstep.SGD([normal(0, 3, "f64")], lr=0.5, **options), memory, every=every)


def test_numbers_of_the_user_are_in_the_row():
    memory = Memory()
    log = over_one(memory, every=2)
    gradient = normal(1, 3, "f64")
    for t in range(4):
        with log.step([gradient], loss=torch.tensor(t + 0.5, requires_grad=True)):
            log.optimizer.step([gradient])
            log.add(accuracy=np.float32(t / 4))
    assert memory.steps == [0, 2]
    assert [list(row)[-3:] for row in memory.rows] == [["skipped_steps", "loss", "accuracy"]] * 2
    assert [(row["loss"], row["accuracy"]) for row in memory.rows] == [(0.5, 0.0), (2.5, 0.5)]


def test_numbers_are_of_one_step_alone():
    memory = Memory()
    log, gradient = over_one(memory), normal(1, 3, "f64")
    log.add(loss=1.0)
    with log.step([gradient]):
        log.optimizer.step([gradient])
    with pytest.raises(KeyError), log.step([gradient], loss=2.0):
        raise KeyError
    with log.step([gradient]):
        log.optimizer.step([gradient])
    assert ["loss" in row for row in memory.rows] == [True, False]


def test_numbers_of_micro_batches_are_in_the_row_of_their_update():
    memory = Memory()
    log, gradient = over_one(memory, accumulate=2), normal(1, 3, "f64")
    for loss in (1.0, 2.0, 3.0, 4.0):
        with log.step([gradient], loss=loss):
            log.optimizer.step([gradient])
    assert [row["loss"] for row in memory.rows] == [2.0, 4.0]


@pytest.mark.parametrize(
    ("numbers", "kind", "message"),
    [
        ({"rate": 1.0}, ValueError, "rate is a number that the log writes itself: give yours another name"),
        ({"rate/1": 1.0}, ValueError, "rate/1 is a number that the log writes itself"),
        ({"update_norm": 1.0}, ValueError, "update_norm is a number that the log writes itself"),
        ({"loss": "low"}, TypeError, "Invalid loss: 'low' of type str: pass a number or an array of one number"),
        ({"loss": np.ones(2)}, ValueError, "Tensor loss must be 1-element"),
    ],
)
def test_refused_numbers(numbers, kind, message):
    memory = Memory()
    log, gradient = over_one(memory), normal(1, 3, "f64")
    with pytest.raises(kind, match=message), log.step([gradient], **numbers):
        raise AssertionError("no step is made")
    assert (log.steps, memory.rows) == (0, [])


def test_gradients_by_name():
    memory = Memory()
    w = normal(0, 3, "f64")
    log = StepLog(gradstep.SGD({"w": w}, lr=0.5), memory)
    gradients = {"w": normal(1, 3, "f64")}
    with log.step(gradients):
        log.optimizer.step(gradients)
    assert memory.rows[0]["gradient_norm"] == pytest.approx(math.sqrt((gradients["w"] ** 2).sum()), rel=FEW_ULP)
