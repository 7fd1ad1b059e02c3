"""Plateau: torch's and Keras's rules to the report, their traps, and the way into an optimizer."""

import json
import math
import os
import random
from types import SimpleNamespace

import numpy as np
import pytest

import gradstep
from gradstep import Plateau
from support.tolerances import FEW_ULP

NAN = math.nan


def scales(plateau, metrics):
    return [plateau.update(metric) for metric in metrics]


def torchs_scales(metrics, floor, **settings):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    # eps=0: torch would leave a rate that changes by less than 1e-8
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=floor, eps=0.0, **settings)
    found = []
    for metric in metrics:
        scheduler.step(metric)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def keras_scales(metrics, floor, threshold, **settings):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    callbacks = pytest.importorskip("keras.callbacks")
    callback = callbacks.ReduceLROnPlateau("loss", min_lr=floor, min_delta=threshold, **settings)
    optimizer = SimpleNamespace(learning_rate=1.0)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    found = []
    for epoch, metric in enumerate(metrics):
        callback.on_epoch_end(epoch, {"loss": metric})
        found.append(optimizer.learning_rate)
    return found


def wandering(rng, low):
    """A metric that mostly falls and at times stands, jumps or is not finite, for Keras in what float32 holds exactly.

    It ends before a rate that is always reduced underflows in float32.
    """
    metric, metrics = 96, []
    for _ in range(40):
        metric = max(metric + rng.choice((-9, -3, -1, 0, 0, 0, 2)), low)
        metrics.append(rng.choices((metric / 8, NAN, math.inf, -math.inf), (50, 2, 1, 0.1))[0])
    return metrics


def settings(rng):
    return {
        "factor": rng.choice((0.5, 0.1)),
        "patience": rng.choice((0, 1, 2, 5)),
        "cooldown": rng.choice((0, 1, 3)),
        "floor": rng.choice((0.0, 1 / 64, 3 / 8)),
        "mode": rng.choice(("min", "max")),
    }


@pytest.mark.parametrize("seed", range(100))
def test_torchs_rule_is_torchs(seed):
    rng = random.Random(seed)
    chosen = settings(rng) | {"threshold_mode": rng.choice(("rel", "abs")), "threshold": rng.choice((0.0, 1e-4, 0.25))}
    low = 1 if chosen["threshold_mode"] == "rel" else -200  # torch's relative threshold is wrong below 0
    metrics = [metric for metric in wandering(rng, low) if low < 0 or metric != -math.inf]
    assert scales(Plateau(**chosen), metrics) == torchs_scales(metrics, **chosen)


@pytest.mark.parametrize("seed", range(40))
def test_keras_rule_is_keras(seed):
    rng = random.Random(seed)
    chosen = settings(rng) | {"threshold": rng.choice((0.0, 0.125, 0.25))}
    metrics = [1.0, *wandering(rng, low=-200)]  # Keras stays at a NaN that comes first
    assert scales(Plateau(rule="keras", threshold_mode="abs", **chosen), metrics) == keras_scales(metrics, **chosen)


def reports_before(rule, patience, metrics):
    """How many reports it takes until the scale is reduced; None if it never is."""
    found = scales(Plateau(factor=0.5, patience=patience, rule=rule), metrics)
    return next((i for i, scale in enumerate(found, 1) if scale < 1), None)


@pytest.mark.parametrize(
    ("rule", "expected"), [("torch", {0: 2, 1: 3, 2: 4}), ("keras", {0: 2, 1: 2, 2: 3})], ids=["torch", "keras"]
)
@pytest.mark.parametrize("patience", [0, 1, 2])
def test_T8_which_report_reduces(rule, expected, patience):
    flat = expected[patience]
    assert reports_before(rule, patience, [1.0] * 9) == flat
    assert reports_before(rule, patience, [-1.0] * 9) == flat
    assert reports_before(rule, patience, [-1.0 + 0.1 * i for i in range(9)]) == flat
    assert reports_before(rule, patience, [1.0] + [NAN] * 8) == flat
    assert reports_before(rule, patience, [-1.0 - 0.1 * i for i in range(9)]) is None


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_T8_nothing_but_nan(patience):
    # torch counts a first NaN as bad, Keras takes it as what to beat.
    metrics = [NAN] * 9
    chosen = {"factor": 0.5, "patience": patience}
    assert scales(Plateau(**chosen), metrics) == torchs_scales(metrics, floor=0.0, **chosen)
    keras = keras_scales(metrics, floor=0.0, threshold=1e-4, mode="min", **chosen)
    assert scales(Plateau(rule="keras", **chosen), metrics) == keras


def test_T8_torch_never_reduces_on_a_negative_metric_that_stands():
    metrics = [-1.0] * 12
    assert torchs_scales(metrics, floor=0.0, patience=2) == [1.0] * 12
    assert Plateau(patience=2, mode="min").update(-1.0) == 1.0
    assert scales(Plateau(factor=0.5, patience=2), metrics)[-1] == 0.125


def test_a_number_beats_a_nan_that_came_first():
    metrics = [NAN, 4.0, 3.0, 2.0, 1.0]
    keras = keras_scales(metrics, floor=0.0, threshold=0.125, factor=0.5, patience=1, mode="min")
    assert keras == [1.0, 0.5, 0.25, 0.125, 0.0625]
    assert scales(Plateau(factor=0.5, patience=1, rule="keras"), metrics) == [1.0] * 5


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("best", [2.0, -2.0])
def test_the_relative_threshold_is_a_share_of_the_size(mode, best):
    # Better by 0.125 * |best| is not enough, by a little more is.
    better = -1 if mode == "min" else 1
    for excess, expected in ((0.0, 0.5), (1e-9, 1.0)):
        plateau = Plateau(factor=0.5, patience=0, mode=mode, threshold=0.125)
        assert scales(plateau, [best, best + better * (0.25 + excess)]) == [1.0, expected]


def test_the_floor_is_reached_exactly_and_kept():
    assert scales(Plateau(factor=0.1, patience=0, floor=0.05), [1.0] * 4) == [1.0, 0.1, 0.05, 0.05]


@pytest.mark.parametrize("rule", ["torch", "keras"])
@pytest.mark.parametrize("seed", range(10))
def test_a_saved_plateau_goes_on_at_every_report(rule, seed):
    rng = random.Random(seed)
    chosen = settings(rng) | {"rule": rule}
    metrics = wandering(rng, low=-200)
    never_saved = scales(Plateau(**chosen), metrics)
    plateau, found = Plateau(**chosen), []
    for metric in metrics:
        resumed = Plateau(**chosen)
        resumed.load_state_dict(json.loads(json.dumps(plateau.state_dict())))
        plateau = resumed
        found.append(plateau.update(metric))
    assert found == never_saved


def optimizers():
    torch = pytest.importorskip("torch")
    rate = gradstep.CosineDecay(0.5, steps=10)
    from gradstep import optim

    weight = torch.zeros(1, dtype=torch.float64)
    array = np.zeros(1)

    def torchs_step(optimizer):
        weight.grad = torch.ones_like(weight)
        optimizer.step()

    def driven_step(driver):
        torchs_step(driven)
        driver.step()

    driven = torch.optim.SGD([weight], lr=0.0)
    yield array, gradstep.SGD([array], lr=rate), lambda optimizer: optimizer.step([np.ones(1)])
    yield weight, optim.SGD([weight], lr=rate), torchs_step
    yield weight.zero_(), gradstep.attach(driven, lr=rate), driven_step


def test_it_multiplies_the_schedule_of_an_optimizer():
    rate = gradstep.CosineDecay(0.5, steps=10)
    for weight, optimizer, step in optimizers():
        plateau, expected = Plateau(factor=0.5, patience=0), 0.0
        for t, (metric, scale) in enumerate(zip([3.0, 3.0, 2.0, 2.0, NAN], [1, 0.5, 0.5, 0.25, 0.125], strict=True)):
            assert plateau.step(metric, optimizer) == scale
            step(optimizer)
            expected -= rate(t) * scale
        assert float(weight[0]) == pytest.approx(expected, rel=FEW_ULP)  # a sum of five in another order of rounding


def test_other_factors_of_the_scale_are_kept():
    groups = [{"params": [np.zeros(1)], "gradstep_scale": 0.75}, {"params": [np.zeros(1)]}]
    optimizer = gradstep.SGD(groups, lr=0.1)
    plateau = Plateau(factor=0.5, patience=0)
    plateau.step(1.0, optimizer)
    assert optimizer.param_groups[1]["gradstep_scale"] == 1.0
    plateau.step(1.0, optimizer)
    plateau.step(0.5, optimizer)
    assert [group["gradstep_scale"] for group in optimizer.param_groups] == [0.375, 0.5]


def test_the_metric_may_be_an_array_of_one_number():
    torch = pytest.importorskip("torch")
    assert scales(Plateau(factor=0.5, patience=0), [np.float32(1), torch.ones(1, requires_grad=True)]) == [1, 0.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 1.0}, r"factor is 1.0: it must be above 0 and below 1"),
        ({"factor": 0}, r"factor is 0: it must be above 0 and below 1"),
        ({"patience": -1}, r"patience is -1: it counts reports and must be a whole number, 0 or more"),
        ({"patience": 1.5}, r"patience is 1.5: it counts reports"),
        ({"cooldown": True}, r"cooldown is True: it counts reports"),
        ({"mode": "lowest"}, r"mode is 'lowest': it must be one of 'min', 'max'"),
        ({"threshold": -1e-4}, r"threshold is -0.0001: it must be 0 or more"),
        ({"threshold_mode": "relative"}, r"threshold_mode is 'relative': it must be one of 'rel', 'abs'"),
        ({"floor": 1.5}, r"floor is 1.5: it is a fraction of the rate and must be from 0 to 1"),
        ({"rule": "timm"}, r"rule is 'timm': it must be one of 'torch', 'keras'"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Plateau(**arguments)


def test_refused_reports_and_states_change_nothing():
    plateau = Plateau(factor=0.5, patience=0)
    plateau.update(1.0)
    before = plateau.state_dict()
    with pytest.raises(TypeError, match="Invalid metric: 'low' of type str: pass a number"):
        plateau.update("low")
    with pytest.raises(ValueError, match=r"metric is an array of shape \(2,\): pass a number or an array"):
        plateau.update(np.ones(2))
    with pytest.raises(
        TypeError, match="optimizer is a dict, which does not use gradstep_scale: pass an optimizer of gradstep or"
    ):
        plateau.step(1.0, {})
    with pytest.raises(ValueError, match="holds best, scale, but Plateau needs exactly scale, best, waited, cooling"):
        plateau.load_state_dict({"best": 0.0, "scale": 0.5})
    assert plateau.state_dict() == before
