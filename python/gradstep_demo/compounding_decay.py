"""Document 4, sections 6.2 and A.1: a linear model of ten features with Adam, its rate divided at each epoch."""

from collections.abc import Callable

import numpy as np
from torch import Tensor, nn

from gradstep import InverseTimeDecay, Piecewise
from gradstep.schedules import Schedule
from gradstep_demo import comparison, tables
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.regression import table
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings, Span
from gradstep_demo.task import Task

INITIAL_LR, DECAY_RATE = 0.1, 0.01


class SimpleModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(10, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc1(x)
        return y


def linear_decay(span: Span) -> Schedule:
    """Section A.1: the initial rate is divided, by what belongs to the epoch."""
    return InverseTimeDecay(INITIAL_LR, DECAY_RATE, steps=span.epoch, staircase=True)


def learning_rate_decay(span: Span) -> Schedule:
    """Section 6.2: the present rate is divided at each epoch, so that all divisors so far are multiplied."""
    divisors = np.cumprod([1 + DECAY_RATE * epoch for epoch in range(span.updates // span.epoch)])
    return Piecewise(range(span.epoch, span.updates, span.epoch), list(INITIAL_LR / divisors))


def patients(_: Options) -> Task:
    return table("442 patients with diabetes", tables.patients(), SimpleModel)


def settings(name: str, rate: Callable[[Span], Schedule]) -> Settings:
    return Settings(name, "Adam", rate, batch=32, length=Epochs(100, quick=100), options={"weight_decay": 1e-5})


PROGRAM = comparison.Program(
    name="compounding-decay",
    title="Linear model, Adam",
    correction="section 6.2 divides the rate of the epoch before, which compounds to a product and has all but "
    "stopped by epoch 40; section A.1 divides the initial rate. Both are inverse time, not linear decay.",
    task=patients,
    settings=[settings("A.1", linear_decay), settings("6.2", learning_rate_decay)],
)

FINDING = (
    "Here the rate that stops does no harm: 0.1 is high for so small a model, which jumps about as long as it lasts."
)


def run(options: Options, report: Report) -> Outcome:
    return comparison.run(PROGRAM, options, report).plus(notes=[FINDING])
