"""Document 4, section 7.2: a perceptron with two hidden layers of 10 on the prices of houses in Boston."""

from torch import nn

from gradstep import InverseTimeDecay
from gradstep.schedules import Schedule
from gradstep_demo import comparison, tables
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.regression import table
from gradstep_demo.report import Report
from gradstep_demo.settings import Settings, Span, Updates
from gradstep_demo.task import Task


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(13, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1))


def houses(_: Options) -> Task:
    return table("506 houses in Boston", tables.houses(), mlp)


def decay(_: Span) -> Schedule:
    return InverseTimeDecay(0.1, rate=0.01)


PROGRAM = comparison.Program(
    name="boston-mlp",
    title="MLP 13-10-10-1, gradient descent",
    correction="the document calls its rate linear; 0.1 / (1 + 0.01 * iteration) is inverse time decay. "
    "Its error of 0.025 says nothing without a scale: here prices are scaled to [0, 1], where their mean gives 0.04.",
    task=houses,
    settings=[Settings("document", "SGD", rate=decay, batch=32, length=Updates(1000, quick=1000))],
)


def run(options: Options, report: Report) -> Outcome:
    return comparison.run(PROGRAM, options, report)
