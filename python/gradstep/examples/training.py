"""One training loop for every model: the same weights, digits and order under gradstep and under torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gradstep.examples.contenders import LIBRARIES, Settings
from gradstep.examples.data import Array, Digits

POINTS = 150  # of a curve: each is the mean over a window of updates, so that a figure stays legible
WARM_UP = 5
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Tensors:
    """All digits as tensors once; a batch is an index into them."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    @staticmethod
    def of(digits: Digits) -> "Tensors":
        return Tensors(
            _pixels(digits.x_train),
            torch.from_numpy(digits.y_train),
            _pixels(digits.x_test),
            torch.from_numpy(digits.y_test),
        )


def _pixels(values: Array) -> Tensor:
    return torch.from_numpy(values.astype(np.float32) / 255).unsqueeze(1)


@dataclass(frozen=True)
class Task:
    """What both libraries train."""

    build: Callable[[], nn.Module]
    settings: Settings
    digits: Tensors
    seed: int

    @property
    def batches(self) -> int:
        return -(-len(self.digits.y_train) // self.settings.batch)

    @property
    def updates(self) -> int:
        return self.batches * self.settings.epochs


@dataclass(frozen=True)
class Epoch:
    updates: int  # since the start
    train_loss: float
    test_loss: float
    test_accuracy: float
    seconds: float  # of training, without the test
    step_seconds: float


@dataclass
class Curve:
    """Cross entropy and rate over updates, a point for each window."""

    window: int
    updates: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    _recent: list[float] = field(default_factory=list)
    _seen: int = 0

    def add(self, loss: float, rate: float) -> None:
        self._seen += 1
        self._recent.append(loss)
        if len(self._recent) == self.window:
            self.updates.append(self._seen)
            self.loss.append(sum(self._recent) / self.window)
            self.rate.append(rate)
            self._recent.clear()


class Training:
    """One model under one library. Epoch by epoch, so that two can take turns on the same machine."""

    def __init__(self, task: Task, library: str) -> None:
        torch.manual_seed(task.seed)
        self.task = task
        self.library = library
        self.model = task.build()
        self.order = torch.Generator().manual_seed(task.seed)
        self.contender = LIBRARIES[library](task.settings, self.model.parameters(), task.updates)
        self.curve = Curve(window=-(-task.updates // POINTS))
        self.epochs: list[Epoch] = []

    def epoch(self, advance: Advance) -> Epoch:
        in_steps = self.contender.seconds
        start = perf_counter()
        loss = self.train(self.shuffled(), advance)
        seconds = perf_counter() - start
        test_loss, accuracy = self.test()
        done = self.task.batches * (len(self.epochs) + 1)
        step_seconds = self.contender.seconds - in_steps
        self.epochs.append(Epoch(done, loss, test_loss, accuracy, seconds, step_seconds))
        return self.epochs[-1]

    def shuffled(self) -> Sequence[Tensor]:
        indices = torch.randperm(len(self.task.digits.y_train), generator=self.order)
        return torch.split(indices, self.task.settings.batch)

    def train(self, batches: Sequence[Tensor], advance: Advance) -> float:
        """Train on these batches and return their mean cross entropy."""
        digits, settings = self.task.digits, self.task.settings
        self.model.train()
        total = 0.0
        for batch in batches:
            labels = digits.y_train[batch]
            outputs = self.model(digits.x_train[batch])
            objective = cross_entropy(outputs, labels, label_smoothing=settings.label_smoothing)
            objective.backward()  # type: ignore[no-untyped-call]
            rate = self.contender.rate
            self.contender.update()
            # Without smoothing, so that settings can be compared.
            loss = float(cross_entropy(outputs.detach(), labels))
            self.curve.add(loss, rate)
            total += loss
            advance(1)
        return total / len(batches)

    @torch.no_grad()
    def test(self) -> tuple[float, float]:
        """Mean cross entropy and share of right answers on the test digits."""
        self.model.eval()
        loss = right = 0.0
        digits = self.task.digits
        for x, y in zip(torch.split(digits.x_test, 1000), torch.split(digits.y_test, 1000), strict=True):
            outputs = self.model(x)
            loss += float(cross_entropy(outputs, y, reduction="sum"))
            right += float((outputs.argmax(1) == y).sum())
        return loss / len(digits.y_test), right / len(digits.y_test)


def warm_up(task: Task) -> None:
    """Throw-away updates: the first ones start threads and choose kernels, which belongs to no library."""
    for library in LIBRARIES:
        training = Training(task, library)
        training.train(training.shuffled()[:WARM_UP], lambda _: None)
