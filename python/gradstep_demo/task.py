"""What is learned: from which data, by which model, and how it is measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from gradstep_demo.settings import Settings, Span

Loss: TypeAlias = Callable[[Any, Tensor], Tensor]  # of a model's outputs and the answers wanted


@dataclass(frozen=True)
class Metric:
    """A number that is measured on data that is not trained on."""

    name: str  # two words, as "test accuracy"; "test loss" is drawn beside the training's
    format: str = ".4f"
    best: Callable[..., Any] = min

    @property
    def percent(self) -> bool:
        return self.format.endswith("%")

    def difference(self, a: float, b: float) -> str:
        return f"{100 * abs(a - b):.2f} points" if self.percent else f"{abs(a - b):.2g}"


LOSS = Metric("test loss")
ACCURACY = Metric("test accuracy", ".2%", best=max)


@dataclass(frozen=True)
class Task:
    """Rows to learn from and a model that learns them.

    `train` holds tensors of one length: a batch is the same rows of each, and the last is the answers. With
    a single tensor the rows are both. `measure` gives a value for each of `metrics`, the most telling first.
    """

    data: str
    train: Sequence[Tensor]
    build: Callable[[], nn.Module]
    measure: Callable[[nn.Module], Mapping[str, float]]
    loss: Loss | None = None  # which only a learner of its own can do without
    metrics: Sequence[Metric] = (LOSS,)
    loss_name: str = "Loss"
    facts: Mapping[str, object] = field(default_factory=dict)  # about the data, for the JSON

    @property
    def rows(self) -> int:
        return len(self.train[0])


@dataclass(frozen=True)
class Plan:
    """One training: the same whichever library does it."""

    task: Task
    settings: Settings
    seed: int

    @cached_property
    def laps(self) -> Sequence[int]:
        return self.settings.length.laps(self._epoch)

    @cached_property
    def span(self) -> Span:
        return Span(sum(self.laps), self._epoch)

    def untrained(self) -> nn.Module:
        """The model with the weights from which the training starts, to be measured."""
        torch.manual_seed(self.seed)
        return self.task.build().eval()

    @property
    def _epoch(self) -> int:
        return -(-self.task.rows // self.settings.batch)
