"""Digits as a task: which of ten is it?"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gradstep_demo import data
from gradstep_demo.outcome import Options
from gradstep_demo.task import ACCURACY, LOSS, Task


def digits(options: Options, build: Callable[[], nn.Module]) -> Task:
    """MNIST, from the user's file or bundled, for a model that gives ten logits for each digit."""
    found = data.load(options.data, options.quick)
    x_test, y_test = pixels(found.x_test), torch.from_numpy(found.y_test)
    return Task(
        data=found.name,
        train=(pixels(found.x_train), torch.from_numpy(found.y_train)),
        build=build,
        loss=cross_entropy,
        measure=lambda model: measure(model, x_test, y_test),
        metrics=(ACCURACY, LOSS),
        loss_name="Cross entropy",
        facts={"train_digits": len(found.y_train), "test_digits": len(y_test)},
    )


def pixels(values: data.Array) -> Tensor:
    return torch.from_numpy(data.scaled(values))


def measure(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """The share of right answers and the mean cross entropy."""
    right = loss = 0.0
    for inputs, labels in zip(torch.split(x, 1000), torch.split(y, 1000), strict=True):
        outputs = model(inputs)
        right += float((outputs.argmax(1) == labels).sum())
        loss += float(cross_entropy(outputs, labels, reduction="sum"))
    return {"test accuracy": right / len(y), "test loss": loss / len(y)}


@dataclass(frozen=True)
class SmoothedCrossEntropy:
    """Cross entropy with labels that leave `smoothing` of the probability to all classes alike."""

    smoothing: float

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels, label_smoothing=self.smoothing)
