"""``torch.optim`` with faster insides: the same names, arguments, groups, hooks and checkpoints.

What is not replaced (``lr_scheduler``, ``swa_utils``, ``LBFGS``, ...) is torch's own, so that changing the import
breaks nothing.
"""

from torch.optim import LBFGS as LBFGS
from torch.optim import Optimizer as Optimizer
from torch.optim import lr_scheduler as lr_scheduler
from torch.optim import swa_utils as swa_utils

from gradstep import rules
from gradstep.optimizers.evaluation import EvaluationMode
from gradstep.optimizers.torch import TorchOptimizer

__all__ = [
    "ADOPT",
    "ASGD",
    "LAMB",
    "LARS",
    "LBFGS",
    "SGD",
    "AdEMAMix",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamAtan2",
    "AdamW",
    "Adamax",
    "Adan",
    "LaProp",
    "Lion",
    "NAdam",
    "NAdamW",
    "Optimizer",
    "Prodigy",
    "RAdam",
    "RMSprop",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Signum",
    "SparseAdam",
    "StableAdamW",
    "lr_scheduler",
    "swa_utils",
]


class ADOPT(rules.ADOPT, TorchOptimizer):
    __doc__ = rules.ADOPT.__doc__


class ASGD(rules.ASGD, TorchOptimizer):
    __doc__ = rules.ASGD.__doc__


class AdEMAMix(rules.AdEMAMix, TorchOptimizer):
    __doc__ = rules.AdEMAMix.__doc__


class Adadelta(rules.Adadelta, TorchOptimizer):
    __doc__ = rules.Adadelta.__doc__


class Adagrad(rules.Adagrad, TorchOptimizer):
    __doc__ = rules.Adagrad.__doc__
    eager_states = True

    def share_memory(self) -> None:
        """Move the sums into memory that processes share, as ``torch.optim.Adagrad.share_memory``."""
        self._settle()
        for state in self.state.values():
            state["sum"].share_memory_()
        self._forget_plan()


class Adam(rules.Adam, TorchOptimizer):
    __doc__ = rules.Adam.__doc__


class AdamAtan2(rules.AdamAtan2, TorchOptimizer):
    __doc__ = rules.AdamAtan2.__doc__


class AdamW(rules.AdamW, TorchOptimizer):
    __doc__ = rules.AdamW.__doc__


class Adamax(rules.Adamax, TorchOptimizer):
    __doc__ = rules.Adamax.__doc__


class Adan(rules.Adan, TorchOptimizer):
    __doc__ = rules.Adan.__doc__


class LAMB(rules.LAMB, TorchOptimizer):
    __doc__ = rules.LAMB.__doc__


class LARS(rules.LARS, TorchOptimizer):
    __doc__ = rules.LARS.__doc__


class LaProp(rules.LaProp, TorchOptimizer):
    __doc__ = rules.LaProp.__doc__


class Lion(rules.Lion, TorchOptimizer):
    __doc__ = rules.Lion.__doc__


class NAdam(rules.NAdam, TorchOptimizer):
    __doc__ = rules.NAdam.__doc__


class NAdamW(rules.NAdamW, TorchOptimizer):
    __doc__ = rules.NAdamW.__doc__


class Prodigy(rules.Prodigy, TorchOptimizer):
    __doc__ = rules.Prodigy.__doc__


class RAdam(rules.RAdam, TorchOptimizer):
    __doc__ = rules.RAdam.__doc__


class RMSprop(rules.RMSprop, TorchOptimizer):
    __doc__ = rules.RMSprop.__doc__


class Rprop(rules.Rprop, TorchOptimizer):
    __doc__ = rules.Rprop.__doc__


class SGD(rules.SGD, TorchOptimizer):
    __doc__ = rules.SGD.__doc__


class ScheduleFreeAdamW(EvaluationMode, rules.ScheduleFreeAdamW, TorchOptimizer):
    __doc__ = rules.ScheduleFreeAdamW.__doc__


class ScheduleFreeSGD(EvaluationMode, rules.ScheduleFreeSGD, TorchOptimizer):
    __doc__ = rules.ScheduleFreeSGD.__doc__


class Signum(rules.Signum, TorchOptimizer):
    __doc__ = rules.Signum.__doc__


class StableAdamW(rules.StableAdamW, TorchOptimizer):
    __doc__ = rules.StableAdamW.__doc__


class SparseAdam(rules.SparseAdam, TorchOptimizer):
    __doc__ = rules.SparseAdam.__doc__
    needs_dense_parameters = True


def __getattr__(name: str) -> object:
    """Whatever else this version of torch.optim offers."""
    import torch.optim

    return getattr(torch.optim, name)
