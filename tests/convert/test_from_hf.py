"""The schedules of Transformers' get_scheduler, point by point."""

import re

import pytest

import gradstep as gs
from gradstep import convert
from support.agreement import FLOAT64, assert_agrees

torch = pytest.importorskip("torch")
peer = pytest.importorskip("transformers")

LR = 0.3


def run(name, steps, *counts, **options):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=LR)
    scheduler = peer.get_scheduler(name, optimizer, *counts, scheduler_specific_kwargs=options or None)
    (rate,) = scheduler.lr_lambdas
    return [LR * rate(t) for t in range(steps)]


@pytest.mark.parametrize(
    ("name", "counts", "options"),
    [
        ("constant", (), {}),
        ("constant_with_warmup", (7,), {}),
        ("constant_with_warmup", (0,), {}),
        ("linear", (7, 40), {}),
        ("linear", (0, 40), {}),
        ("cosine", (7, 40), {}),
        ("cosine", (7, 40), {"num_cycles": 1.5}),
        ("cosine", (7, 40), {"num_cycles": 0.35}),
        ("cosine_with_restarts", (7, 40), {"num_cycles": 3}),
        ("cosine_with_restarts", (7, 40), {"num_cycles": 4}),
        ("polynomial", (7, 40), {"lr_end": 0.02, "power": 1.7}),
        ("inverse_sqrt", (7,), {}),
        ("inverse_sqrt", (7,), {"timescale": 12}),
        ("inverse_sqrt", (0,), {}),
        ("cosine_with_min_lr", (7, 40), {"min_lr": 0.02}),
        ("cosine_with_min_lr", (7, 40), {"min_lr_rate": 0.1, "num_cycles": 1.0}),
        ("cosine_warmup_with_min_lr", (7, 40), {"min_lr": 0.02}),
        ("cosine_warmup_with_min_lr", (0, 40), {"min_lr": 0.02}),
        ("cosine_warmup_with_min_lr", (7, 40), {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2, "num_cycles": 1.0}),
        ("cosine_warmup_with_min_lr", (1, 40), {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}),
        ("warmup_stable_decay", (7, 40), {"num_decay_steps": 13, "min_lr_ratio": 0.1}),
        (
            "warmup_stable_decay",
            (7,),
            {"num_decay_steps": 13, "num_stable_steps": 9, "warmup_type": "cosine", "decay_type": "linear"},
        ),
        (
            "warmup_stable_decay",
            (7, 40),
            {"num_decay_steps": 13, "warmup_type": "1-sqrt", "decay_type": "1-sqrt", "min_lr_ratio": 0.1},
        ),
        ("warmup_stable_decay", (7, 40), {"num_decay_steps": 13, "num_cycles": 1.5, "min_lr_ratio": 0.1}),
    ],
)
def test_values_are_transformers(name, counts, options):
    schedule = convert.from_hf(name, LR, *counts, scheduler_specific_kwargs=options)
    assert_agrees(schedule, run(name, 121, *counts, **options), FLOAT64)
    assert gs.from_json(schedule.to_json()) == schedule


def test_names_are_those_of_transformers():
    assert set(convert.huggingface.SCHEDULES) <= {each.value for each in peer.SchedulerType}


def test_counts_are_taken_where_they_are_not_needed():
    kind = peer.SchedulerType.CONSTANT
    assert convert.from_hf(kind, LR, num_warmup_steps=7, num_training_steps=40.0) == gs.Constant(LR)
    assert convert.from_hf("inverse_sqrt", LR, 7, 40) == convert.from_hf("inverse_sqrt", LR, 7)


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "message"),
    [
        (("greedy", LR), {}, TypeError, "greedy of Transformers can't be converted; can be: constant, "),
        (("cosin", LR), {}, TypeError, "use gradstep.Callable(fn, steps), where fn(t) is the rate of update t"),
        (("linear", LR, 7), {}, TypeError, "missing 1 required positional argument: 'num_training_steps'"),
        (("linear", LR, 7, 40), {"power": 2}, TypeError, "unexpected keyword argument 'power'"),
        (
            ("linear", LR, 40, 40),
            {},
            ValueError,
            "num_training_steps is 40 and num_warmup_steps is 40: no updates are left for the decay",
        ),
        (("linear", LR, 0.1, 40), {}, ValueError, "num_warmup_steps is 0.1: a schedule counts whole updates"),
        (("cosine_with_min_lr", LR, 7, 40), {}, ValueError, "min_lr is None and min_lr_rate is None: pass exactly one"),
        (("warmup_stable_decay", LR, 7), {"num_decay_steps": 3}, ValueError, "pass one of them"),
    ],
)
def test_what_is_refused(arguments, options, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.from_hf(*arguments, scheduler_specific_kwargs=options)
