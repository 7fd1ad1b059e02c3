"""Every leaf from its definition, in 60 digits, and arguments to try it with: none is a default."""

import inspect
import itertools
from fractions import Fraction

import mpmath
from mpmath import mpf

import gradstep as gs

mpmath.mp.dps = 60


def constant(t, value):
    return mpf(value)


def linear(t, init, end, steps):
    return init + (mpf(end) - init) * t / steps


def polynomial_decay(t, init, steps, end, power, cycle, k):
    if cycle:
        steps *= max(1, -(-t // steps))
    return end + (mpf(init) - end) * mpmath.power(1 - (mpf(t) / steps) ** k, power)


def ratio(t, steps, staircase):
    return t // steps if staircase else mpf(t) / steps


def exponential_decay(t, init, rate, steps, staircase):
    return init * mpmath.power(rate, ratio(t, steps, staircase))


def natural_exp_decay(t, init, rate, steps, staircase):
    return init * mpmath.exp(-rate * ratio(t, steps, staircase))


def inverse_time_decay(t, init, rate, steps, power, staircase):
    return init / mpmath.power(1 + rate * ratio(t, steps, staircase), power)


def inverse_sqrt_decay(t, init, timescale, shift_):
    return init / mpmath.sqrt(1 + (t + mpf(shift_)) / timescale)


def half_cosine(x):
    return (1 + mpmath.cospi(x)) / 2


def cosine_decay(t, init, steps, end, exponent, k):
    return end + (mpf(init) - end) * half_cosine((mpf(t) / steps) ** k) ** exponent


def cosine_restarts(t, init, steps, mult, decay, end, end_at):
    cycle, length = 0, steps
    while t >= length:
        t -= length
        cycle += 1
        length = round(steps * Fraction(mult) ** cycle)
    length -= end_at == "last"
    return end + (init * mpf(decay) ** cycle - end) * half_cosine(mpf(t) / length)


def linear_cosine(t, init, steps, cycles, alpha, beta):
    p = mpf(t) / steps
    return init * ((alpha + 1 - p) * half_cosine(2 * cycles * p) + beta)


def rex(t, init, steps, end):
    p = mpf(t) / steps
    return end + (mpf(init) - end) * (1 - p) / (1 - p / 2)


def tanh_decay(t, init, steps, end, lower, upper):
    p = mpf(t) / steps
    return end + (mpf(init) - end) * (1 - mpmath.tanh(lower * (1 - p) + upper * p)) / 2


def sigmoid(t, limit, rate, center):
    return limit / (1 + mpmath.exp(-rate * (t - mpf(center))))


def noam(t, d_model, warmup_, scale):
    n = mpf(t + 1)
    return scale / mpmath.sqrt(d_model) * min(1 / mpmath.sqrt(n), n / mpf(warmup_) ** 1.5)


def power_law(t, init, timescale, power):
    return init * (1 + t / mpf(timescale)) ** power


def cyclic(t, base, peak, up, down, mode, gamma):
    cycle, phase = divmod(t, up + (down or up))
    height = min(mpf(phase) / up, mpf(up + (down or up) - phase) / (down or up))
    scale = {"triangular": 1, "triangular2": mpf(0.5) ** cycle, "exp_range": mpf(gamma) ** t}[mode]
    return base + (mpf(peak) - base) * height * scale


def periodic(t, base, stages):
    return mpf([base, *(rate for period, rate in stages if t % period == 0)][-1])


def piecewise_linear(t, points):
    after = next((i for i in range(1, len(points)) if t < points[i][0]), len(points) - 1)
    (t0, v0), (t1, v1) = points[after - 1], points[after]
    return v0 + (mpf(v1) - v0) * max(mpf(t - t0) / (t1 - t0), 0)


def one_cycle(t, peak, steps, pct_start, div, final_div, anneal, three_phase, end_at):
    early = end_at == "last"
    low = mpf(peak) / div
    corners = [(0, low), (max(mpf(pct_start) * steps - early, 0), mpf(peak))]
    if three_phase:
        corners.append((2 * corners[1][0], low))
    corners.append((steps - early, low / final_div))
    for (start, init), (until, end) in reversed(list(itertools.pairwise(corners))):
        if t >= start:
            p = (t - start) / (until - start)
            return end + (init - end) * (half_cosine(p) if anneal == "cosine" else 1 - p)


def wsd(t, peak, warmup_, stable, decay, end, decay_kind, end_at):
    if t < warmup_ + stable:
        return peak * min(mpf(t + 1) / warmup_, 1) if warmup_ else mpf(peak)
    x = mpf(t - warmup_ - stable) / (decay - (end_at == "last"))
    if decay_kind == "exponential":
        return peak * (mpf(end) / peak) ** x
    d = {
        "linear": 1 - x,
        "cosine": half_cosine(x),
        "1-sqrt": 1 - mpmath.sqrt(x),
        "1-square": 1 - x**2,
        "exp2": 2 * mpf(0.5) ** x - 1,
    }
    return end + (mpf(peak) - end) * d[decay_kind]


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011): four words of 32 bits from four words and a key of two."""
    a, b, c, d = counter
    for i in range(10):
        first, second = a * 0xD2511F53, c * 0xCD9E8D57
        keys = [(key[0] + i * 0x9E3779B9) % 2**32, (key[1] + i * 0xBB67AE85) % 2**32]
        a, b, c, d = second // 2**32 ^ b ^ keys[0], second % 2**32, first // 2**32 ^ d ^ keys[1], first % 2**32
    return a, b, c, d


def random_fraction(t, seed):
    a, b, _, _ = philox((t % 2**32, t // 2**32, 0, 0), (seed % 2**32, seed // 2**32))
    return mpf((a * 2**32 + b) // 2**12) / 2**52


def uniform(t, low, high, seed):
    return low + (mpf(high) - low) * random_fraction(t, seed)


def log_uniform(t, low, high, seed):
    return low * (mpf(high) / low) ** random_fraction(t, seed)


def step_decay(t, init, steps, rate):
    return init * mpf(rate) ** (t // steps)


def multi_step(t, init, milestones, rate):
    return init * mpf(rate) ** sum(each <= t for each in milestones)


def piecewise(t, boundaries, values):
    return mpf(values[sum(each <= t for each in boundaries)])


def table(t, values):
    return mpf(values[t])


def past_end(t, length, period, past):
    """The time that the formula of a schedule with an end sees."""
    if past == "hold":
        t = min(t, length)
    elif past == "repeat":
        t = t % period
    elif past == "mirror":
        t = length - abs(t % (2 * length) - length)
    return t


def exact(s, t):
    """The schedule's value at step t, to 60 digits."""
    arguments = {name: getattr(s, name) for name in s.checks()}
    formula = globals()[s.operation]
    past = arguments.pop("past", None)
    if past and not arguments.get("cycle"):
        t = past_end(t, s.length, s.period, past)
    if "end_at" in arguments and "end_at" not in inspect.signature(formula).parameters:
        arguments["steps"] -= arguments.pop("end_at") == "last"
    return formula(t, **arguments)


LEAVES = [
    gs.Constant(0.3),
    gs.Linear(0.1, 0.7, 37),
    gs.Linear(0.7, 0.1, 37, end_at="last", past="repeat"),
    gs.Linear(0.7, -0.1, 37, past="extrapolate"),
    gs.PolynomialDecay(0.3, 37, end=0.01, power=1.7),
    gs.PolynomialDecay(0.3, 37, end=0.01, power=0.5, end_at="last", past="mirror"),
    gs.PolynomialDecay(0.3, 37, end=0.01, power=3, past="extrapolate"),
    gs.PolynomialDecay(0.3, 37, end=0.01, power=1.7, cycle=True),
    gs.ExponentialDecay(0.3, 0.9, steps=7),
    gs.ExponentialDecay(0.3, 0.9, steps=7, staircase=True),
    gs.ExponentialDecay(0.3, 1.05, steps=3),
    gs.NaturalExpDecay(0.3, 0.2, steps=7),
    gs.NaturalExpDecay(0.3, 0.2, steps=7, staircase=True),
    gs.InverseTimeDecay(0.3, 0.2, steps=7),
    gs.InverseTimeDecay(0.3, 0.2, steps=7, power=0.75, staircase=True),
    gs.InverseSqrtDecay(0.3, timescale=12.5, shift=3.25),
    gs.InverseSqrtDecay(0.3, timescale=12.5, shift=-3.25),
    gs.CosineDecay(0.3, 37, end=0.01),
    gs.CosineDecay(0.3, 37, end=0.01, end_at="last", past="mirror"),
    gs.CosineDecay(0.3, 37, end=0.01, past="repeat"),
    gs.CosineDecay(0.3, 37, end=0.01, past="extrapolate"),
    gs.CosineDecay(0.3, 37, end=0.01, k=1.5, end_at="last"),
    gs.CosineDecay(0.3, 37, end=0.01, exponent=1.7),
    gs.PolynomialDecay(0.3, 37, end=0.01, power=1.7, k=0.7, end_at="last"),
    gs.CosineRestarts(0.3, 7, decay=0.8, end=0.01),
    gs.CosineRestarts(0.3, 3, mult=1.5, decay=0.8, end=0.01, end_at="last"),
    gs.CosineRestarts(0.3, 5, mult=2, end=0.01),
    gs.LinearCosine(0.3, 37, cycles=2.5, alpha=0.2, beta=0.05),
    gs.LinearCosine(0.3, 37, cycles=1.5, alpha=0.2, beta=0.05, end_at="last", past="mirror"),
    gs.REX(0.3, 37, end=0.01),
    gs.REX(0.3, 37, end=0.01, end_at="last", past="repeat"),
    gs.TanhDecay(0.3, 37, end=0.01, lower=-5, upper=2.5),
    gs.TanhDecay(0.3, 37, end=0.01, lower=-5, upper=2.5, end_at="last", past="extrapolate"),
    gs.Sigmoid(0.3, 0.2, 20.5),
    gs.Sigmoid(0.3, -0.2, 20.5),
    gs.Noam(48, 11, scale=0.7),
    gs.PowerLaw(0.3, 12.5, -0.7),
    gs.PowerLaw(0.3, 12.5, 0.3),
    gs.Cyclic(0.01, 0.3, 7),
    gs.Cyclic(0.01, 0.3, 7, 12, mode="triangular2"),
    gs.Cyclic(0.01, 0.3, 7, 12, mode="exp_range", gamma=0.98),
    gs.Periodic(0.3, [(2, 0.2), (6, 0.5), (9, 0.1)]),
    gs.PiecewiseLinear([(3, 0.1), (10, 0.7), (11, 0.3), (40, 0.2)]),
    gs.PiecewiseLinear([(0, 0.1), (7, 0.7), (11, 0.3)], past="repeat"),
    gs.PiecewiseLinear([(0, 0.1), (7, 0.7), (11, 0.9)], past="extrapolate"),
    gs.OneCycle(0.3, 37, pct_start=0.4, div=20, final_div=300),
    gs.OneCycle(0.3, 37, pct_start=0.4, div=20, final_div=300, end_at="last", past="repeat"),
    gs.OneCycle(0.3, 37, pct_start=0.4, div=20, final_div=300, anneal="linear", three_phase=True),
    gs.OneCycle(0.3, 37, pct_start=0.4, div=20, final_div=300, three_phase=True, end_at="last", past="mirror"),
    gs.WSD(0.3, 5, 8, 20, end=0.01, end_at="last"),
    gs.WSD(0.3, 0, 8, 20, end=0.01, decay_kind="cosine", past="repeat"),
    gs.WSD(0.3, 5, 0, 20, end=0.01, decay_kind="1-sqrt", past="mirror"),
    gs.WSD(0.3, 5, 8, 20, end=0.01, decay_kind="1-square"),
    gs.WSD(0.3, 5, 8, 20, end=0.01, decay_kind="exp2"),
    gs.WSD(0.3, 5, 8, 20, end=0.01, decay_kind="exponential"),
    gs.Uniform(0.1, 0.3, seed=2**53 - 7),
    gs.LogUniform(1e-4, 0.3, seed=9),
    gs.StepDecay(0.3, 7, 0.6),
    gs.MultiStep(0.3, [5, 6, 40], 0.6),
    gs.MultiStep(0.3, [], 0.6),
    gs.Piecewise([5, 6, 40], [0.3, 0.2, 0.5, 0.1]),
    gs.Piecewise([], [0.3]),
    gs.Table([0.3, 0.1, 0.7, -0.2]),
    gs.Table([0.3, 0.1, 0.7], past="repeat"),
    gs.Table([0.3, 0.1, 0.7], past="mirror"),
]
