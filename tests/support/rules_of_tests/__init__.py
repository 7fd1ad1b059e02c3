"""Declarations of rules for tests, whose arithmetic is in the headers in this folder.

They are as those of the library, but no module of it knows them.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from gradstep import _core
from gradstep.optimizers.arrays import ArrayOptimizer
from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, Fraction, Momentum, NotNegative, Positive, Rate

#: those of a build with GRADSTEP_EMULATED, as tests/support/rules_of_tests/list.h names them
NAMES = ("row_normalised", "axis_normalised", "row_scaled", "row_scaled_normalised")
BUILT = frozenset(NAMES) <= frozenset(_core.rules())


class OfTests(Rule):
    __module__ = f"{Rule.__module__.rpartition('.')[0]}.of_tests"  # as a module of the library's rules


class RowNormalised(OfTests):
    __module__ = OfTests.__module__

    lr: Rate = 0.1
    beta: Fraction = 0.9
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0

    @classmethod
    def kernel(cls, group):
        return Kernel("row_normalised", ("row_sq",))


class AxisNormalised(OfTests):
    __module__ = OfTests.__module__

    lr: Rate = 0.1
    momentum: NotNegative = 0.9
    beta: Fraction = 0.9
    eps: Epsilon = 1e-8
    limit: Positive = 1
    weight_decay: Decay = 0

    @classmethod
    def kernel(cls, group):
        return Kernel("axis_normalised", ("row_sq", "momentum_buffer", "column_sq", "matrix_sq"))


class RowScaled(OfTests):
    __module__ = OfTests.__module__

    lr: Rate = 0.1
    momentum: Momentum = 0.9
    weight_decay: Decay = 0

    @classmethod
    def kernel(cls, group):
        return Kernel("row_scaled", ("momentum_buffer",)) if group["momentum"] else Kernel("sgd")


class RowScaledNormalised(RowNormalised):
    __module__ = OfTests.__module__

    @classmethod
    def kernel(cls, group):
        return Kernel("row_scaled_normalised", ("mean_sq",))


@functools.cache
def over(declaration, optimizer):
    return type(declaration.__name__, (declaration, optimizer), {})


class MatrixCase(NamedTuple):
    """One of these rules at values of its hyper-parameters that are no defaults."""

    declaration: type[OfTests]
    hyper: dict[str, Any]

    @property
    def name(self):
        return self.declaration.__name__

    def __str__(self):
        return self.name

    def over(self, arrays, **options):
        return over(self.declaration, ArrayOptimizer)(arrays, **{**self.hyper, **options})

    def over_tensors(self, tensors, **options):
        from gradstep.optimizers.torch import TorchOptimizer

        return over(self.declaration, TorchOptimizer)(tensors, **{**self.hyper, **options})


MATRIX_CASES = [
    MatrixCase(RowNormalised, {"lr": 0.03, "beta": 0.7, "eps": 1e-2, "weight_decay": 0.05}),
    MatrixCase(
        AxisNormalised,
        {"lr": 0.03, "momentum": 0.8, "beta": 0.7, "eps": 1e-2, "limit": 0.9, "weight_decay": 0.05},
    ),
    MatrixCase(RowScaled, {"lr": 0.03, "momentum": 0.8, "weight_decay": 0.05}),
    MatrixCase(RowScaledNormalised, {"lr": 0.03, "beta": 0.7, "eps": 1e-2, "weight_decay": 0.05}),
]


def direction_of(name, g, s, h):
    """The direction of one update in float64; the states ``s`` are empty at the first."""
    first, square = not s, np.atleast_2d(g) ** 2

    def mean(name, axes, beta=None):
        beta = h["beta"] if beta is None else beta
        s[name] = beta * s.get(name, 0) + (1 - beta) * square.mean(axes, keepdims=True)
        return s[name]

    if name == "AxisNormalised":
        beta, momentum = (0, 0) if first else (h["beta"], h["momentum"])
        m = s["momentum_buffer"] = momentum * s.get("momentum_buffer", 0) + g
        rows, columns = mean("row_sq", -1, beta), mean("column_sq", -2, beta)
        u = m / (np.sqrt(rows * columns / mean("matrix_sq", (-2, -1), beta)) + h["eps"])
        return u / max(1, np.sqrt(np.mean(u**2)) / h["limit"])
    if name == "RowNormalised":
        return g / (np.sqrt(mean("row_sq", -1)) + h["eps"])
    if name == "RowScaled":
        u = s["momentum_buffer"] = h["momentum"] * s.get("momentum_buffer", 0) + g
    else:
        u = g / (np.sqrt(mean("mean_sq", None)) + h["eps"])
    largest = np.abs(np.atleast_1d(u)).max(-1, keepdims=True)
    return np.where(largest > 0, u / np.where(largest > 0, largest, 1), u)
