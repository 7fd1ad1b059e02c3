"""ReduceLROnPlateau of torch and of Keras, report by report."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from gradstep import convert
from support.tolerances import OTHER_ALGORITHM, SINGLE

torch = pytest.importorskip("torch")
LR = 0.3
OPTIONS = [
    {"factor": 0.5, "patience": 2, "min_lr": 0.04, "cooldown": 3, "mode": "min"},
    {"factor": 0.3, "patience": 0, "mode": "max"},
]
# Steps of a sixteenth, which float32 holds exactly, with stretches that stand still.
METRICS = (np.random.default_rng(0).integers(1, 9, 80).repeat(2) / 16).tolist()


def rates(plateau):
    return [LR * plateau.update(metric) for metric in METRICS]


@pytest.mark.parametrize("options", [OPTIONS[0] | {"threshold": 0.1}, OPTIONS[1] | {"threshold_mode": "abs"}], ids=repr)
def test_torch(options):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=LR)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options, eps=0)
    expected = []
    for metric in METRICS:
        peer.step(metric)
        expected.append(optimizer.param_groups[0]["lr"])
    assert len(set(expected)) > 3
    assert rates(convert.from_plateau(peer, LR)) == pytest.approx(expected, rel=OTHER_ALGORITHM)


@pytest.mark.parametrize(
    "options", [OPTIONS[0] | {"min_delta": 0.1}, OPTIONS[0] | {"mode": "auto"}, OPTIONS[1]], ids=repr
)
def test_keras(options):
    keras = pytest.importorskip("keras")
    peer = keras.callbacks.ReduceLROnPlateau(**options)
    plateau = convert.from_plateau(peer, LR)
    peer.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=LR), metrics=[]))
    peer.on_train_begin()
    expected = []
    for epoch, metric in enumerate(METRICS):
        peer.on_epoch_end(epoch, {"val_loss": metric})
        expected.append(peer.model.optimizer.learning_rate)
    assert len(set(expected)) > 3
    # Keras reads the rate in float32 at each reduction.
    assert rates(plateau) == pytest.approx(expected, rel=SINGLE)


class Callback:
    mode, monitor = "auto", "val_accuracy"


Callback.__module__, Callback.__name__ = "keras.src.callbacks", "ReduceLROnPlateau"


@pytest.mark.parametrize(
    ("peer", "kind", "message"),
    [
        (3, TypeError, "3, a builtins.int, is none of torch.ReduceLROnPlateau, keras.ReduceLROnPlateau"),
        (Callback(), ValueError, "mode is 'auto' and monitor is 'val_accuracy': say whether it should rise or fall"),
        (
            torch.optim.lr_scheduler.ReduceLROnPlateau(
                torch.optim.SGD([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)]}]), min_lr=[0.1, 0.2]
            ),
            ValueError,
            "min_lr is [0.1, 0.2]: a Plateau multiplies the rates of all groups alike; set one",
        ),
    ],
    ids=["other", "auto", "groups"],
)
def test_what_is_refused(peer, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.from_plateau(peer, LR)
