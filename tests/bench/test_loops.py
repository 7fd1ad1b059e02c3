"""Whole training loops: each task trains with either optimizer, and the step is a part of the iteration."""

import pytest

from gradstep_bench import training_loop
from gradstep_bench.accuracy import CheckFailed
from gradstep_bench.models import TASKS
from gradstep_bench.rules import GRADSTEP, RULES, Rule
from gradstep_bench.timing import Pace
from gradstep_bench.training_loop import measure_loop


@pytest.fixture(autouse=True)
def few_batches(monkeypatch):
    monkeypatch.setattr(training_loop, "_BATCHES", 3)


@pytest.mark.parametrize("task", TASKS)
def test_each_task(task):
    ours, theirs = measure_loop(task, RULES["adam"], ["fused"], Pace.quick())
    assert (ours.case, ours.contestant, theirs.contestant) == (f"loop-{task}", GRADSTEP, "fused")
    assert ours.elements == theirs.elements > 200_000
    assert ours.step_share > 0
    assert theirs.step_share > 0


def test_another_training_is_not_timed(monkeypatch):
    import torch

    rule = Rule("adam", "Adam")
    monkeypatch.setitem(rule.makers, "fused", lambda params: torch.optim.Adam(params, lr=0.1))
    with pytest.raises(CheckFailed, match="loop-mlp adam: losses differ after 3 iterations"):
        measure_loop("mlp", rule, ["fused"], Pace.quick())
