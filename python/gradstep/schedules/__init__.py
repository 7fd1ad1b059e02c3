"""Learning-rate schedules: immutable values that are called with a step.

t is the number of updates already applied: f(0) is used by the first update. A milestone takes the new
value; `end` is reached at t == steps; past the end the value holds; warmup's first update uses 1/n of the
way.
"""

from gradstep.schedules.base import Schedule, as_schedule
from gradstep.schedules.changes import difference as difference
from gradstep.schedules.constant import Constant
from gradstep.schedules.cosine import CosineDecay, LinearCosine
from gradstep.schedules.coupling import Smooth, Tied, layerwise, tied
from gradstep.schedules.cyclic import Cyclic, Periodic
from gradstep.schedules.exponential import ExponentialDecay, NaturalExpDecay
from gradstep.schedules.expression import from_expression
from gradstep.schedules.inverse import InverseSqrtDecay, InverseTimeDecay, Noam, PowerLaw
from gradstep.schedules.joining import Join, join, stages
from gradstep.schedules.limits import limits as limits
from gradstep.schedules.linear import Linear, PolynomialDecay
from gradstep.schedules.operators import (
    Clip,
    Difference,
    Maximum,
    Minimum,
    Negative,
    Power,
    Product,
    Quotient,
    Sum,
    maximum,
    minimum,
)
from gradstep.schedules.phases import WSD, OneCycle
from gradstep.schedules.points import PiecewiseLinear
from gradstep.schedules.random import LogUniform, Uniform
from gradstep.schedules.restarts import CosineRestarts
from gradstep.schedules.rex import REX
from gradstep.schedules.serial import from_json
from gradstep.schedules.sigmoid import Sigmoid, TanhDecay
from gradstep.schedules.stairs import MultiStep, Piecewise, StepDecay
from gradstep.schedules.table import Callable, Table
from gradstep.schedules.times import Repeat, Shift, Stretch
from gradstep.schedules.units import Units
from gradstep.schedules.value import Value, show_plain_types
from gradstep.schedules.warmup import Warmup, untuned_warmup

for _each in Value.classes.values():
    show_plain_types(_each)

__all__ = [
    "REX",
    "WSD",
    "Callable",
    "Clip",
    "Constant",
    "CosineDecay",
    "CosineRestarts",
    "Cyclic",
    "Difference",
    "ExponentialDecay",
    "InverseSqrtDecay",
    "InverseTimeDecay",
    "Join",
    "Linear",
    "LinearCosine",
    "LogUniform",
    "Maximum",
    "Minimum",
    "MultiStep",
    "NaturalExpDecay",
    "Negative",
    "Noam",
    "OneCycle",
    "Periodic",
    "Piecewise",
    "PiecewiseLinear",
    "PolynomialDecay",
    "Power",
    "PowerLaw",
    "Product",
    "Quotient",
    "Repeat",
    "Schedule",
    "Shift",
    "Sigmoid",
    "Smooth",
    "StepDecay",
    "Stretch",
    "Sum",
    "Table",
    "TanhDecay",
    "Tied",
    "Uniform",
    "Units",
    "Warmup",
    "as_schedule",
    "from_expression",
    "from_json",
    "join",
    "layerwise",
    "maximum",
    "minimum",
    "stages",
    "tied",
    "untuned_warmup",
]
