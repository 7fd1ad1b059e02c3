"""The declarations of all rules: names, defaults, states and equations. Their arithmetic is in ``cpp/rules``."""

from gradstep.rules.adadelta import Adadelta
from gradstep.rules.adagrad import Adagrad
from gradstep.rules.adam import Adam
from gradstep.rules.adam_atan2 import AdamAtan2
from gradstep.rules.adamax import Adamax
from gradstep.rules.adamw import AdamW
from gradstep.rules.adan import Adan
from gradstep.rules.ademamix import AdEMAMix
from gradstep.rules.adopt import ADOPT
from gradstep.rules.asgd import ASGD
from gradstep.rules.lamb import LAMB
from gradstep.rules.laprop import LaProp
from gradstep.rules.lars import LARS
from gradstep.rules.lion import Lion
from gradstep.rules.nadam import NAdam
from gradstep.rules.nadamw import NAdamW
from gradstep.rules.prodigy import Prodigy
from gradstep.rules.radam import RAdam
from gradstep.rules.rmsprop import RMSprop
from gradstep.rules.rprop import Rprop
from gradstep.rules.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from gradstep.rules.sgd import SGD
from gradstep.rules.signum import Signum
from gradstep.rules.stable_adamw import StableAdamW

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
    "StableAdamW",
]
