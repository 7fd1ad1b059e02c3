"""The formulas that schedules are timed against are the same curves."""

import numpy as np
import pytest

import gradstep
from gradstep_bench.accuracy import CheckFailed
from gradstep_bench.formulas import FORMULAS, STEPS, Formula
from gradstep_bench.schedules import check


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: repr(formula.schedule)[:40])
def test_schedules_are_timed_against_their_formulas(formula):
    check(formula, np.arange(STEPS))


def test_a_schedule_that_is_another_curve_is_not_timed():
    formula = Formula(gradstep.Linear(1, 0, 10), lambda t: 1 - t / 10, lambda t: 1 - t / 10)
    check(formula, np.arange(11))
    with pytest.raises(CheckFailed, match="is not the formula that it is timed against"):
        check(formula, np.arange(12))
