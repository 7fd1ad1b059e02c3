"""The options and steps of optimizers for the tests of hosts."""

import pytest

import gradstep
from support.cases import ONE_EACH

torch = pytest.importorskip("torch")


RATE = gradstep.Linear(0.1, 0.0, 20)


OPTIONS = {"lr": RATE, "ema": gradstep.Linear(0.5, 0.9, 20), "cast_to": "bf16"}


STEPS = 5


each_case = pytest.mark.parametrize("case", ONE_EACH, ids=str)
