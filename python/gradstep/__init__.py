"""gradstep: fused optimizers and learning-rate schedules for NumPy and PyTorch, in one pass over memory.

>>> import numpy as np, gradstep
>>> w = np.zeros(3, np.float32)
>>> opt = gradstep.AdamW([w], lr=gradstep.CosineDecay(1e-2, steps=100).warmup(10))
>>> opt.step([np.array([1.0, 0.0, -1.0], np.float32)])
>>> w
array([-0.001,  0.   ,  0.001], dtype=float32)

``gradstep.optim`` is a drop-in for ``torch.optim``; it needs torch. Each module is imported when a name of it is first
used.
"""

import importlib
import os
from typing import Any

from gradstep.interop.interpreters import is_main

if not is_main():
    raise ImportError(
        "gradstep can't be imported in a subinterpreter, and NumPy only in one interpreter of a process: import it in "
        "the main interpreter, or use processes (multiprocessing, concurrent.futures.ProcessPoolExecutor)"
    )

from gradstep import _core

if forced := os.environ.get("GRADSTEP_TARGET"):
    _core.select_target(forced)

from gradstep.interop import callables as _callables  # noqa: F401  (hands them over)
from gradstep.interop.former_modules import find_former_modules

find_former_modules()

__version__ = _core.__version__

_MODULES = ("checkpoint", "convert", "functional", "logs", "schedules", "search", "tasks")
#: modules with the package that they need besides NumPy
_FURTHER_MODULES = {"optim": "torch"}
#: all of whose public names are gradstep's
_WHOLE = ("schedules", "optimizers")
_SINGLE = {
    "Explore": "feedback",
    "LRFinder": "lr_finder",
    "Options": "rules.options",
    "Plateau": "feedback",
    "Rate": "schedules.rate",
    "Rows": "interop.rows",
    "attach": "feedback",
    "get_num_threads": "interop.threads",
    "info": "cli.information",
    "set_num_threads": "interop.threads",
}


def _public_names() -> list[str]:
    return sorted([*_SINGLE, *_MODULES, *(name for module in _WHOLE for name in _module(module).__all__)])


def _module(name: str) -> Any:
    return importlib.import_module(f"gradstep.{name}")


def _further_module(name: str) -> Any:
    needed = _FURTHER_MODULES[name]
    try:
        return _module(name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != needed:
            raise
        raise ImportError(f"gradstep.{name} needs {needed}: pip install {needed}", name=needed) from missing


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return _public_names()
    if name in _MODULES:
        return _module(name)
    if name in _FURTHER_MODULES:
        return _further_module(name)
    if not name.startswith("_"):
        for module in [_SINGLE[name]] if name in _SINGLE else _WHOLE:
            if name in _module(module).__all__:
                globals()[name] = found = getattr(_module(module), name)
                return found
    raise AttributeError(f"module 'gradstep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_public_names(), *_FURTHER_MODULES})
