"""gradstep: the step of gradient descent at the speed of memory."""

import os

from gradstep import _core, schedules
from gradstep.schedules import *  # noqa: F403

__all__ = [*schedules.__all__]

if forced := os.environ.get("GRADSTEP_TARGET"):
    _core.select_target(forced)

from gradstep.optimizers import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
    Signum,
)
from gradstep.threads import get_num_threads, set_num_threads
