"""gradstep: the step of gradient descent at the speed of memory, in place, on NumPy arrays and torch tensors.

>>> import numpy as np, gradstep
>>> w = np.zeros(3, np.float32)
>>> opt = gradstep.AdamW([w], lr=gradstep.CosineDecay(1e-2, steps=100).warmup(10))
>>> opt.step([np.array([1.0, 0.0, -1.0], np.float32)])
>>> w
array([-0.001,  0.   ,  0.001], dtype=float32)

``gradstep.optim`` is ``torch.optim`` with these insides; it is imported on its own, because it needs torch.
"""

import os

from gradstep.interpreters import is_main

if not is_main():
    raise ImportError(
        "gradstep can't be imported in a subinterpreter, and neither can NumPy beside the main one: import it in the "
        "main interpreter, or use processes (multiprocessing, concurrent.futures.ProcessPoolExecutor)"
    )

from gradstep import _core

if forced := os.environ.get("GRADSTEP_TARGET"):
    _core.select_target(forced)

from gradstep import callables as _callables  # noqa: F401  (hands them over)
from gradstep import checkpoint, convert, functional, logs, schedules, search, tasks
from gradstep.attachment import attach
from gradstep.explore import Explore
from gradstep.information import info
from gradstep.lr_finder import LRFinder
from gradstep.optimizers import (
    ADOPT,
    ASGD,
    LAMB,
    LARS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamAtan2,
    Adamax,
    AdamW,
    Adan,
    AdEMAMix,
    LaProp,
    Lion,
    NAdam,
    NAdamW,
    Prodigy,
    RAdam,
    RMSprop,
    Rprop,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    Signum,
    SparseAdam,
    StableAdamW,
)
from gradstep.plateau import Plateau
from gradstep.schedules import *  # noqa: F403
from gradstep.sparse import Rows
from gradstep.threads import get_num_threads, set_num_threads

__version__ = _core.__version__

__all__ = [
    "LAMB",
    "LARS",
    "Prodigy",
    "StableAdamW",
    "ADOPT",
    "ASGD",
    "SGD",
    "AdEMAMix",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamAtan2",
    "AdamW",
    "Adamax",
    "Adan",
    "Explore",
    "LRFinder",
    "LaProp",
    "Lion",
    "NAdam",
    "NAdamW",
    "Plateau",
    "RAdam",
    "RMSprop",
    "Rows",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Signum",
    "SparseAdam",
    "attach",
    "checkpoint",
    "convert",
    "functional",
    "get_num_threads",
    "info",
    "logs",
    "schedules",
    "search",
    "set_num_threads",
    "tasks",
    *schedules.__all__,
]
