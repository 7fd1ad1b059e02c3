"""Information about this installation and its machine."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any

import numpy as np

from gradstep import _core
from gradstep.interop.threads import get_num_threads

__all__ = ["info"]


def info() -> dict[str, Any]:
    """The CPU targets that are there and the active one, threads, and versions.

    ``target`` is the best of ``targets``, or the one that ``GRADSTEP_TARGET`` names; ``thread_source`` is
    ``"openmp"`` where the threads are those of a loaded OpenMP runtime (torch's), else ``"own"``.

    >>> import gradstep
    >>> found = gradstep.info()
    >>> found["target"] in found["targets"]
    True
    """
    return {
        "gradstep": _core.__version__,
        "target": _core.active_target(),
        "targets": _core.targets(),
        "threads": get_num_threads(),
        "thread_source": _core.thread_source(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": _installed("torch"),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _installed(package: str) -> str | None:
    if package in sys.modules:
        return str(sys.modules[package].__version__)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
