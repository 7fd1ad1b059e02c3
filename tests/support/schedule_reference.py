"""The exact value of every leaf, past its end too, and arguments to try it with: none is a default."""

import inspect

import gradstep as gs
from support import leaf_formulas


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
    formula = getattr(leaf_formulas, s.operation)
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
    gs.PolynomialDecay(0.3, 37, end=0.01, power=2, cycle=True),
    gs.PolynomialDecay(0.3, 37, end=0.01),
    gs.ExponentialDecay(0.3, 0.9, steps=7),
    gs.ExponentialDecay(0.3, 0.9, steps=7, staircase=True),
    gs.ExponentialDecay(0.3, 1.05, steps=3),
    gs.NaturalExpDecay(0.3, 0.2, steps=7),
    gs.NaturalExpDecay(0.3, 0.2, steps=7, staircase=True),
    gs.InverseTimeDecay(0.3, 0.2, steps=7),
    gs.InverseTimeDecay(0.3, 0.2, steps=7, power=0.75, staircase=True),
    gs.InverseTimeDecay(0.3, 0.2, steps=7, power=0.5),
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
