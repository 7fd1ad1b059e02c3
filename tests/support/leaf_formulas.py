"""Every leaf from its definition, in 60 digits."""

import itertools
from fractions import Fraction

import mpmath
from mpmath import mpf

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
