"""The optimizers over arrays: each is a rule of :mod:`gradstep.rules` over NumPy arrays, with the gradients given."""

from gradstep import rules
from gradstep.optimizers.arrays import ArrayOptimizer
from gradstep.optimizers.evaluation import EvaluationMode

__all__ = [
    "ADOPT",
    "ASGD",
    "LAMB",
    "LARS",
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
    "Prodigy",
    "RAdam",
    "RMSprop",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Signum",
    "SparseAdam",
    "StableAdamW",
]


class ADOPT(rules.ADOPT, ArrayOptimizer):
    __doc__ = rules.ADOPT.__doc__


class ASGD(rules.ASGD, ArrayOptimizer):
    __doc__ = rules.ASGD.__doc__


class AdEMAMix(rules.AdEMAMix, ArrayOptimizer):
    __doc__ = rules.AdEMAMix.__doc__


class Adadelta(rules.Adadelta, ArrayOptimizer):
    __doc__ = rules.Adadelta.__doc__


class Adagrad(rules.Adagrad, ArrayOptimizer):
    __doc__ = rules.Adagrad.__doc__


class Adam(rules.Adam, ArrayOptimizer):
    __doc__ = rules.Adam.__doc__


class AdamAtan2(rules.AdamAtan2, ArrayOptimizer):
    __doc__ = rules.AdamAtan2.__doc__


class AdamW(rules.AdamW, ArrayOptimizer):
    __doc__ = rules.AdamW.__doc__


class Adamax(rules.Adamax, ArrayOptimizer):
    __doc__ = rules.Adamax.__doc__


class Adan(rules.Adan, ArrayOptimizer):
    __doc__ = rules.Adan.__doc__


class LAMB(rules.LAMB, ArrayOptimizer):
    __doc__ = rules.LAMB.__doc__


class LARS(rules.LARS, ArrayOptimizer):
    __doc__ = rules.LARS.__doc__


class LaProp(rules.LaProp, ArrayOptimizer):
    __doc__ = rules.LaProp.__doc__


class Lion(rules.Lion, ArrayOptimizer):
    __doc__ = rules.Lion.__doc__


class NAdam(rules.NAdam, ArrayOptimizer):
    __doc__ = rules.NAdam.__doc__


class NAdamW(rules.NAdamW, ArrayOptimizer):
    __doc__ = rules.NAdamW.__doc__


class Prodigy(rules.Prodigy, ArrayOptimizer):
    __doc__ = rules.Prodigy.__doc__


class RAdam(rules.RAdam, ArrayOptimizer):
    __doc__ = rules.RAdam.__doc__


class RMSprop(rules.RMSprop, ArrayOptimizer):
    __doc__ = rules.RMSprop.__doc__


class Rprop(rules.Rprop, ArrayOptimizer):
    __doc__ = rules.Rprop.__doc__


class SGD(rules.SGD, ArrayOptimizer):
    __doc__ = rules.SGD.__doc__


class ScheduleFreeAdamW(EvaluationMode, rules.ScheduleFreeAdamW, ArrayOptimizer):
    __doc__ = rules.ScheduleFreeAdamW.__doc__


class ScheduleFreeSGD(EvaluationMode, rules.ScheduleFreeSGD, ArrayOptimizer):
    __doc__ = rules.ScheduleFreeSGD.__doc__


class Signum(rules.Signum, ArrayOptimizer):
    __doc__ = rules.Signum.__doc__


class StableAdamW(rules.StableAdamW, ArrayOptimizer):
    __doc__ = rules.StableAdamW.__doc__


class SparseAdam(rules.SparseAdam, ArrayOptimizer):
    __doc__ = rules.SparseAdam.__doc__
