"""``torch.optim`` with faster insides: the same names, arguments, groups, hooks and checkpoints.

What is not replaced (``lr_scheduler``, ``swa_utils``, ``LBFGS``, ...) is torch's own, so that changing the import
breaks nothing.
"""

from torch.optim import LBFGS as LBFGS
from torch.optim import Optimizer as Optimizer
from torch.optim import lr_scheduler as lr_scheduler
from torch.optim import swa_utils as swa_utils

from gradstep import rules
from gradstep.optimizers.classes import over
from gradstep.optimizers.eager import EagerStates
from gradstep.optimizers.torch import TorchOptimizer

_CLASSES = {
    name: over(rule, EagerStates if rule.eager_states else TorchOptimizer, module=__name__)
    for name, rule in rules.ALL.items()
}
globals().update(_CLASSES)
__all__ = [*_CLASSES, "LBFGS", "Optimizer", "lr_scheduler", "swa_utils"]


def __getattr__(name: str) -> object:
    """Whatever else this version of torch.optim offers."""
    import torch.optim

    return getattr(torch.optim, name)
