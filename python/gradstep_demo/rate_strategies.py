"""Document 1, section 4: one model trained under each of six strategies for the rate, over several seeds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean, stdev

from torch import nn

from gradstep import ExponentialDecay, Uniform, maximum
from gradstep.schedules import Schedule
from gradstep_demo import comparison
from gradstep_demo.classification import digits
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.panels import panels
from gradstep_demo.report import Report
from gradstep_demo.settings import Settings, Span, Updates
from gradstep_demo.training import Training

SEEDS = 3


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


def exponential_decay(_: Span) -> Schedule:
    return ExponentialDecay(0.1, 0.99)


def fraction_decay(span: Span) -> Schedule:
    """What the document calls inverse time."""
    return ExponentialDecay(0.1, 0.99, steps=span.updates)


def random_rate(_: Span) -> Schedule:
    return Uniform(0.01, 0.1, seed=0)


def learning_rate_schedule(_: Span) -> Schedule:
    return maximum(ExponentialDecay(0.1, 0.99, steps=100), 0.0001)


def strategy(name: str, rate: float | Callable[[Span], Schedule], optimizer: str = "SGD") -> Settings:
    return Settings(name, optimizer, rate, batch=64, length=Updates(1000, quick=200))


PROGRAM = comparison.Program(
    name="rate-strategies",
    title="Six strategies, MLP 784-64-10",
    correction="the floor of the schedule is a maximum; the document's minimum pins the rate at 0.0001. The rate "
    "itself is set: the document scales gradients, which Adam cancels. Its 'inverse time' is exponential.",
    task=lambda options: digits(options, mlp),
    settings=[
        strategy("fixed", 0.01),
        strategy("exponential", exponential_decay),
        strategy("fraction", fraction_decay),
        strategy("random", random_rate),
        strategy("adaptive", 0.001, optimizer="Adam"),
        strategy("schedule", learning_rate_schedule),
    ],
    libraries=[GRADSTEP],
    seeds=SEEDS,
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    strategies = [trainings[first : first + SEEDS] for first in range(0, len(trainings), SEEDS)]
    spreads = {each[0].plan.settings.name: Spread(each) for each in strategies}
    best = max(spreads, key=lambda name: spreads[name].accuracy[0])
    return replace(
        comparison.tell(PROGRAM, options, trainings),
        headline=f"best is {best}, test accuracy {spreads[best].cells()['test accuracy in %']} %",
        rows=[{"strategy": name, **spread.cells()} for name, spread in spreads.items()],
        notes=[f"Mean and standard deviation over {SEEDS} seeds; the figure shows the first."],
        panels=panels([each[0] for each in strategies]),
    ).plus(results={"strategies": {name: vars(spread) for name, spread in spreads.items()}})


class Spread:
    """Mean and standard deviation over the seeds."""

    def __init__(self, trainings: Sequence[Training]) -> None:
        self.accuracy = _spread([100 * training.laps[-1].test["test accuracy"] for training in trainings])
        self.loss = _spread([training.laps[-1].test["test loss"] for training in trainings])
        self.last_rate = trainings[0].curve.rates["rate"][-1]

    def cells(self) -> dict[str, str]:
        return {
            "test accuracy in %": "{:.2f} \N{PLUS-MINUS SIGN} {:.2f}".format(*self.accuracy),
            "test loss": "{:.4f} \N{PLUS-MINUS SIGN} {:.4f}".format(*self.loss),
            "last rate": f"{self.last_rate:.2g}",
        }


def _spread(values: Sequence[float]) -> list[float]:
    return [mean(values), stdev(values)]
