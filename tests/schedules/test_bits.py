"""The same bits: one step or an array of them, on every target."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gradstep as gs
from gradstep import _core
from support.schedule_reference import LEAVES

TARGETS = ["scalar", "avx2", "avx512", "neon"]
CYCLIC = ["triangular", "triangular2", "exp_range"]
DECAY_KINDS = ["linear", "cosine", "1-sqrt", "1-square", "exp2", "exponential"]


def drawn(random):
    """A leaf of each kind with random arguments, and compositions of them."""
    init, end, rate, power = random.uniform(0.01, 1, 4).tolist()
    steps, scale = random.integers(2, [5000, 50]).tolist()
    past = str(random.choice(["hold", "repeat", "mirror"]))
    end_at = str(random.choice(["steps", "last"]))
    stairs = bool(random.integers(2))
    milestones = np.cumsum(random.integers(1, 500, 5)).tolist()
    leaves = [
        gs.Constant(init),
        gs.Linear(init, end, steps, end_at=end_at, past=past),
        gs.PolynomialDecay(init, steps, end, power + 0.5, end_at=end_at, past=past),
        gs.PolynomialDecay(init, steps, end, power + 0.5, cycle=True),
        gs.ExponentialDecay(init, rate, scale, stairs),
        gs.NaturalExpDecay(init, rate, scale, stairs),
        gs.InverseTimeDecay(init, rate, scale, float(random.choice([0.5, 1, 2, power])), stairs),
        gs.InverseSqrtDecay(init, scale + 0.5, power),
        gs.CosineDecay(init, steps, end, end_at=end_at, past=past),
        gs.CosineDecay(init, steps, end, exponent=rate + 0.5, k=power + 0.5, end_at=end_at, past=past),
        gs.CosineRestarts(init, scale, 1.0, rate, end, end_at=end_at),
        gs.CosineRestarts(init, scale, 1.1 + rate, power, end, end_at=end_at),
        gs.LinearCosine(init, steps, scale * rate, power, end, end_at=end_at, past=past),
        gs.REX(init, steps, end, end_at=end_at, past=past),
        gs.TanhDecay(init, steps, end, -scale * rate, scale * power, end_at=end_at, past=past),
        gs.Sigmoid(init, rate - 0.5, steps * power),
        gs.Noam(scale, steps, power),
        gs.PowerLaw(init, scale + 0.5, -power),
        *(gs.Cyclic(end, init, scale, steps, mode, rate if mode == "exp_range" else 1) for mode in CYCLIC),
        gs.Periodic(init, list(zip(milestones, random.random(5).tolist(), strict=True))),
        gs.PiecewiseLinear(list(zip(milestones, random.random(5).tolist(), strict=True)), past=past),
        gs.OneCycle(init, steps, rate * 0.49, 20 * power, 300, str(random.choice(["cosine", "linear"])), stairs),
        *(gs.WSD(init, scale, steps, scale, end, kind, end_at=end_at, past=past) for kind in DECAY_KINDS),
        gs.Uniform(0, init, seed=steps),
        gs.LogUniform(end * init, init, seed=2**40 + steps),
        gs.StepDecay(init, scale, rate),
        gs.MultiStep(init, milestones, rate),
        gs.Piecewise(milestones, random.random(6).tolist()),
        gs.Table(random.random(scale), past=past),
    ]
    a, b = (leaves[i] for i in random.integers(0, len(leaves), 2))
    mode = str(random.choice(["prefix", "overlay", "scale"]))
    return [
        *leaves,
        (a * b - 0.5 * a).clip(0.01, 0.9),
        a.then(b.shift(-scale), at=steps).warmup(scale, end, mode=mode),
        gs.join([a, -b, a / (1 + b)], sorted([steps, scale])),
        gs.minimum(a, b) - gs.maximum(a, end) ** 1.5,
        a.stretch(rate + 0.5, stairs).repeat(steps),
        a.smooth(0.9, scale) * b,
        gs.tied(gs.CosineDecay(init, steps, past="mirror"), 0.85, 0.95, steps, invert=stairs),
        *(a.warmup(scale, end, kind, mode) for kind in ("constant", "log", "cosine", "1-sqrt")),
        a.warmup(scale, end, "power", mode, power=power + 0.1),
        a.warmup(scale, end, "exponential", "scale"),
    ]


def test_every_leaf_is_drawn():
    made = {type(s) for s in drawn(np.random.default_rng(0))}
    assert made >= {type(s) for s in LEAVES}


@pytest.mark.parametrize("seed", range(10))
def test_an_array_of_steps_gives_the_bits_of_each_step(seed):
    random = np.random.default_rng(seed)
    t = np.concatenate([np.arange(1003), random.integers(0, 2**40, 50)])
    for s in drawn(random):
        np.testing.assert_array_equal(s(t), [s(each) for each in t.tolist()], err_msg=repr(s))


def fingerprint():
    digest = hashlib.sha256()
    random = np.random.default_rng(7)
    for _ in range(20):
        t = np.concatenate([np.arange(1003), random.integers(0, 2**40, 50)])
        for s in drawn(random):
            digest.update(s(t).tobytes())
    return f"{_core.active_target()} {digest.hexdigest()}"


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_gives_the_same_bits(target):
    if target not in _core.targets():
        pytest.skip(f"this machine has no {target}")
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.append('..'); import test_bits; print(test_bits.fingerprint())"],
        cwd=Path(__file__).parent,
        env=os.environ | {"GRADSTEP_TARGET": target},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == [target, fingerprint().split()[1]]
