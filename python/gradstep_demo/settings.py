"""How to train: optimizer, rate, batch and length."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradstep import CosineDecay
from gradstep.schedules import Schedule
from gradstep_demo.outcome import Options

if TYPE_CHECKING:
    from gradstep_demo.contenders import Library
    from gradstep_demo.learner import Learner
    from gradstep_demo.task import Loss, Plan

STRETCHES = 10  # of a training that is counted in updates: after each it is measured


@dataclass(frozen=True)
class Span:
    """A training's length in updates."""

    updates: int
    epoch: int  # updates in one pass over the data


@dataclass(frozen=True)
class Epochs:
    """So many passes over the data, each followed by a measurement."""

    count: int
    quick: int = 1  # the count for a look of seconds

    def laps(self, epoch: int) -> Sequence[int]:
        """The updates before each measurement, for `epoch` updates in a pass."""
        return [epoch] * self.count


@dataclass(frozen=True)
class Updates:
    """So many updates, whatever part of the data they see, measured ten times."""

    count: int
    quick: int = 100

    def laps(self, epoch: int) -> Sequence[int]:
        """The updates before each measurement; how many make a pass does not matter here."""
        parts = min(STRETCHES, self.count)
        return [self.count * (i + 1) // parts - self.count * i // parts for i in range(parts)]


@dataclass(frozen=True)
class Settings:
    """How to train. `rate` is a number, or makes a schedule from the length of the training."""

    name: str
    optimizer: str
    rate: float | Callable[[Span], Schedule]
    batch: int
    length: Epochs | Updates
    options: Mapping[str, Any] = field(default_factory=dict)
    # What is minimised, where it is not the task's loss. Losses are shown as the task's, to be compared.
    objective: "Loss | None" = None
    # What one update is; without it, `learner.Supervised`.
    learner: "Callable[[Plan, Library], Learner] | None" = None

    def adapted(self, options: Options) -> "Settings":
        """For the length that the user asks for."""
        count = self.length.quick if options.quick else self.length.count
        return replace(self, length=replace(self.length, count=options.epochs or count))

    def lr(self, span: Span) -> float | Schedule:
        return self.rate(span) if callable(self.rate) else self.rate

    def describe(self, span: Span) -> dict[str, object]:
        lr = self.lr(span)
        return {
            "optimizer": self.optimizer,
            "lr": repr(lr) if callable(lr) else lr,
            **self.options,
            "batch": self.batch,
            type(self.length).__name__.lower(): self.length.count,
            **({"objective": repr(self.objective)} if self.objective else {}),
        }


def warm_cosine(peak: float) -> Callable[[Span], Schedule]:
    """A tenth of the updates to warm up to `peak`, then a cosine to zero at the last."""

    def schedule(span: Span) -> Schedule:
        warm = max(1, span.updates // 10)
        return CosineDecay(peak, span.updates - warm).warmup(warm)

    return schedule
