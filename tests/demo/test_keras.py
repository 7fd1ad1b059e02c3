"""The example in Keras: its model learns alike under Keras' optimizer and gradstep's."""

import math

import pytest
import torch
from rich.console import Console

from gradstep_demo import comparison
from gradstep_demo.outcome import Options
from gradstep_demo.report import Report
from support.tolerances import SINGLE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def example():
    from gradstep_demo import keras_cnn

    return keras_cnn


def test_both_optimizers_go_the_same_way(example, digits):
    trainings = comparison.train(example.PROGRAM, Options(digits, epochs=2), Report(Console(quiet=True)))
    for ours, theirs in zip(trainings[::2], trainings[1::2], strict=True):
        assert (ours.library, theirs.library) == ("gradstep", "Keras")
        # Keras adds epsilon before it corrects the bias and computes the rate in float32.
        assert ours.curve.losses["loss"] == pytest.approx(theirs.curve.losses["loss"], rel=0.02)
        assert ours.curve.rates["rate"] == pytest.approx(theirs.curve.rates["rate"], rel=SINGLE)
    scheduled = trainings[4]
    # Fourteen updates, of which the first is all the warmup and the peak of the cosine.
    assert scheduled.curve.rates["rate"] == pytest.approx(
        [0.0015 * (1 + math.cos(math.pi * t / 13)) for t in range(14)]
    )
    assert scheduled.laps[-1].test["test loss"] < 0.8 * scheduled.curve.losses["loss"][0]


def test_a_softmax_is_no_logit(example):
    certain = torch.tensor([[1000.0] + [0.0] * 9])
    loss = example.SoftmaxAsLogits()(certain, torch.tensor([0]))
    assert loss.item() == pytest.approx(math.log(math.e + 9) - 1, rel=SINGLE)
