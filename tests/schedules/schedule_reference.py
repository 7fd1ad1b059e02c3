"""Every leaf from its definition, in 60 digits, and arguments to try it with: none is a default."""

import mpmath
from mpmath import mpf

import gradstep as gs

mpmath.mp.dps = 60


def constant(t, value):
    return mpf(value)


def linear(t, init, end, steps):
    return init + (mpf(end) - init) * t / steps


def polynomial_decay(t, init, steps, end, power, cycle):
    if cycle:
        steps *= max(1, -(-t // steps))
    return end + (mpf(init) - end) * mpmath.power(1 - mpf(t) / steps, power)


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


def cosine_decay(t, init, steps, end):
    return end + (mpf(init) - end) * (1 + mpmath.cospi(mpf(t) / steps)) / 2


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
    end_at, past = arguments.pop("end_at", None), arguments.pop("past", None)
    if past and not arguments.get("cycle"):
        t = past_end(t, s.length, s.period, past)
    if end_at == "last":
        arguments["steps"] -= 1
    return globals()[s.operation](t, **arguments)


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
    gs.StepDecay(0.3, 7, 0.6),
    gs.MultiStep(0.3, [5, 6, 40], 0.6),
    gs.MultiStep(0.3, [], 0.6),
    gs.Piecewise([5, 6, 40], [0.3, 0.2, 0.5, 0.1]),
    gs.Piecewise([], [0.3]),
    gs.Table([0.3, 0.1, 0.7, -0.2]),
    gs.Table([0.3, 0.1, 0.7], past="repeat"),
    gs.Table([0.3, 0.1, 0.7], past="mirror"),
]
