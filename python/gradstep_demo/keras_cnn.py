"""Document 0, section 4.3: a convolutional network on MNIST in Keras, whose optimizer a gradstep schedule drives."""

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softmax

from gradstep.schedules import Schedule
from gradstep_demo import comparison
from gradstep_demo.classification import digits
from gradstep_demo.contenders import GRADSTEP, Contender, Library
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings, Span, warm_cosine

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported: its variables are torch's parameters
import keras
from keras import layers


def cnn() -> nn.Module:
    keras.utils.set_random_seed(torch.initial_seed())
    model: nn.Module = keras.Sequential(
        [
            keras.Input((1, 28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(10),  # logits, as from_logits=True says
        ]
    )
    return model


class Driven(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A gradstep schedule where Keras wants one of its own; Keras' step is the number of updates applied, too."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def __call__(self, step: Any) -> float:
        return self.schedule(int(step))


class KerasContender(Contender):
    @property
    def rate(self) -> float:
        return float(self.optimizer.learning_rate)


def with_keras(settings: Settings, model: Any, span: Span) -> Contender:
    lr = settings.lr(span)
    make = getattr(keras.optimizers, settings.optimizer)
    optimizer = make(Driven(lr) if callable(lr) else lr, epsilon=settings.options["eps"])
    variables = model.trainable_variables

    def step() -> None:
        with torch.no_grad():
            optimizer.apply([variable.value.grad for variable in variables], variables)

    return KerasContender(optimizer, step, model.zero_grad)


@dataclass(frozen=True)
class SoftmaxAsLogits:
    """The document's loss, which takes probabilities for logits: never below 1.46."""

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(softmax(logits, dim=1), labels)


PRINTED = Settings(
    "printed", "Adam", 0.001, batch=64, length=Epochs(4), options={"eps": 1e-7}, objective=SoftmaxAsLogits()
)
CORRECTED = Settings("corrected", "Adam", 0.001, batch=64, length=Epochs(4), options={"eps": 1e-7})
SCHEDULED = Settings("scheduled", "Adam", warm_cosine(0.003), batch=64, length=Epochs(4), options={"eps": 1e-7})

PROGRAM = comparison.Program(
    name="keras-cnn",
    title="CNN in Keras, Adam",
    correction="the last layer gives logits; the document's gives probabilities and then says from_logits=True. "
    "It also never makes its train_dataset.",
    task=lambda options: digits(options, cnn),
    settings=[PRINTED, CORRECTED, SCHEDULED],
    libraries=[GRADSTEP, Library("Keras", with_keras)],
)


def run(options: Options, report: Report) -> Outcome:
    return comparison.run(PROGRAM, options, report)
