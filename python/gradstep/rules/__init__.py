"""The declarations of all rules: names, defaults, states and equations. Their arithmetic is in ``cpp/rules``."""

from gradstep.rules.adadelta import Adadelta
from gradstep.rules.adagrad import Adagrad
from gradstep.rules.adam import Adam
from gradstep.rules.adamax import Adamax
from gradstep.rules.adamw import AdamW
from gradstep.rules.asgd import ASGD
from gradstep.rules.lion import Lion
from gradstep.rules.nadam import NAdam
from gradstep.rules.radam import RAdam
from gradstep.rules.rmsprop import RMSprop
from gradstep.rules.rprop import Rprop
from gradstep.rules.sgd import SGD
from gradstep.rules.signum import Signum

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Signum",
]
