"""The optimizers over arrays: each is a rule of :mod:`gradstep.rules` over NumPy arrays, with the gradients given."""

from gradstep import rules
from gradstep.optimizers.arrays import ArrayOptimizer
from gradstep.optimizers.classes import over

_CLASSES = {name: over(rule, ArrayOptimizer, module=__name__) for name, rule in rules.ALL.items()}
globals().update(_CLASSES)
__all__ = [*_CLASSES]
