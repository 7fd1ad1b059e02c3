"""The table of convert/README.md: each expression against the formula of the library that it stands for."""

import re
from math import cos, exp, log, pi, sqrt
from pathlib import Path

import pytest

import gradstep as gs
from support.agreement import FLOAT64, assert_agrees

README = Path(__file__).parents[2] / "python" / "gradstep" / "convert" / "README.md"
ROW = re.compile(r"^\| ([^|]+) \| `([\w-]+)[^|]+ \| `([^|]+)` \|$", re.MULTILINE)
# By library and the first word of what is there, what is here.
TABLE = {f"{library} {there}": here for library, there, here in ROW.findall(README.read_text(encoding="utf-8"))}

LR, W, N = 0.3, 10, 100


def left(t, warmup=W, steps=N):
    """The share of the decay that has passed."""
    return min((t - warmup) / (steps - warmup), 1)


def between(high, low, share):
    return low + (high - low) * share


def half_cosine(p):
    return (1 + cos(pi * p)) / 2


def noam(t):
    return 0 if t == 0 else 2 * 64**-0.5 * min(t**-0.5, t * W**-1.5)


def tri_stage(t):
    if t < W:
        return between(LR, 0.003, t / W)
    return LR if t < 70 else LR * exp(log(0.01) * min(t - 70, 30) / 30)


def fit_one_cycle(t):
    return between(LR / 25, LR, half_cosine(t / 25)) if t < 25 else between(LR, LR / 1e5, half_cosine(left(t, 25)))


def llm_c_wsd(t):
    if t < W:
        return LR * (t + 1) / W
    return LR if t < 80 else LR * (1 - sqrt(left(t, 80)))


def linear_cosine(t):
    p = min(t / N, 1)
    return LR * ((0.1 + 1 - p) * (1 + cos(2 * pi * 1.5 * p)) / 2 + 0.02)


FORMULAS = {
    "Paddle NoamDecay": noam,
    "Paddle NaturalExpDecay": lambda t: LR * exp(-0.05 * t),
    "Paddle InverseTimeDecay": lambda t: LR / (1 + 0.05 * t),
    "Paddle LinearWarmup": lambda t: between(LR, 0.02, t / W) if t < W else between(LR, 0.01, (1 - left(t)) ** 2),
    "MXNet FactorScheduler": lambda t: LR * 0.5 ** ((t + 1 - 1) // 30),
    "MXNet MultiFactorScheduler": lambda t: LR * 0.5 ** sum(t + 1 > each for each in (30, 60)),
    "MXNet PolyScheduler": lambda t: between(LR, 0.01, (1 - min((t + 1) / N, 1)) ** 2),
    "MXNet CosineScheduler": lambda t: between(LR, 0.01, half_cosine(min((t + 1) / N, 1))),
    "NeMo CosineAnnealing": lambda t: LR * (t + 1) / (W + 1) if t <= W else between(LR, 0.01, half_cosine(left(t))),
    "Megatron cosine": lambda t: between(LR, 0.02, t / W) if t <= W else between(LR, 0.01, half_cosine(left(t))),
    "Megatron inverse-square-root": lambda t: LR * t / W if t <= W else max(0.12, LR * sqrt(W) / sqrt(t)),
    "Megatron WSD": lambda t: LR * t / W if t <= W else between(LR, 0.01, 2 * 0.5 ** max(left(t, 80), 0) - 1),
    "fvcore CosineParamScheduler": lambda t: between(LR, 0.01, half_cosine(left(t, 0))),
    "fvcore ExponentialParamScheduler": lambda t: LR * 0.1 ** (t / N),
    "fvcore PolynomialDecayParamScheduler": lambda t: LR * (1 - left(t, 0)) ** 2,
    "composer CosineAnnealingWithWarmupScheduler": lambda t: (
        LR * t / W if t < W else LR * between(1, 0.1, half_cosine(left(t)))
    ),
    "fastai fit_one_cycle": fit_one_cycle,
    "fastai fit_flat_cos": lambda t: between(LR, LR / 1e5, half_cosine(max(left(t, 75), 0))),
    "fairseq tri_stage": tri_stage,
    "DeepSpeed WarmupLR": lambda t: between(LR, 0.01, log(t + 1) / log(W)) if t < W else LR,
    "llm.c cosine": lambda t: LR * (t + 1) / W if t < W else between(LR, 0.03, half_cosine(left(t))),
    "llm.c wsd": llm_c_wsd,
    "T5X constant": lambda t: LR * sqrt(W) / sqrt(max(t, W)),
    "Caffe inv": lambda t: LR * (1 + 0.05 * t) ** -0.75,
    "Caffe sigmoid": lambda t: LR / (1 + exp(0.1 * (t - 50))),
    "darknet burn_in": lambda t: LR * min(t / W, 1) ** 4,
    "TensorFlow 1 linear_cosine_decay": linear_cosine,
}


def test_every_row_has_a_formula():
    assert list(TABLE) == list(FORMULAS)


@pytest.mark.parametrize("name", TABLE)
def test_row(name):
    assert_agrees(gs.from_expression(TABLE[name]), [FORMULAS[name](t) for t in range(3 * N)], FLOAT64)
