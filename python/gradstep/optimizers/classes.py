"""The class of an optimizer: a rule over one kind of parameters."""

from __future__ import annotations

from typing import Any

from gradstep.optimizers.evaluation import EvaluationMode
from gradstep.rules.base import Rule

__all__ = ["over"]


def over(rule: type[Rule], base: type[Any], module: str) -> type[Any]:
    """The optimizer of a rule.

    Args:
        rule: it gives the class its name, its arguments and its documentation.
        base: the class that steps and stores the parameters.
        module: the module in which pickle finds the class by its name.
    """
    modes = (EvaluationMode,) if rule.momentum_name else ()
    return type(rule.__name__, (*modes, rule, base), {"__doc__": rule.__doc__, "__module__": module})
