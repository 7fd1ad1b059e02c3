"""Which engine steps the arrays of a device: the core those in the host's memory, ``_cuda`` those on CUDA devices.

The engine of a device is loaded when the first step meets one of its arrays.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradstep import _core

__all__ = ["Plan", "address_on", "emulated", "plan_for"]

Plan = _core.Plan | _core.DevicePlan

_CUDA = 2  # DLPack's type of a device
_ENGINES: dict[int, str] = {_CUDA: "gradstep._cuda"}


def plan_for(parameters: list[Any]) -> Plan:
    """A plan for the device that the parameters lie on.

    Raises:
        TypeError: they lie on several devices, or can't be read.
        RuntimeError: this installation has no engine for their device.
    """
    kind, number = _core.common_device(parameters)
    if kind not in _ENGINES:
        return _core.Plan()
    return _core.DevicePlan(_load(_ENGINES[kind], number), number)


def _load(module: str, number: int) -> Any:
    try:
        return importlib.import_module(module).engine
    except ImportError as error:
        raise RuntimeError(
            f"the parameters are on cuda:{number}, and this installation of gradstep has no engine for CUDA devices "
            f"({error}): move them to the CPU, or build it where nvcc and a copy of the sources are, "
            "pip install -C cmake.define.GRADSTEP_CUDA=ON ."
        ) from error


def current_stream(array: Any, number: int) -> int:
    """The stream that an array's library works on now, for one that does not tell the core by itself."""
    if type(array).__module__.partition(".")[0] == "cupy":
        return int(importlib.import_module("cupy").cuda.get_current_stream(number).ptr)
    import torch

    return int(torch.cuda.current_stream(number).cuda_stream)


def address_on(plan: Plan, number: object) -> int:
    """Where a float32 number lies on the plan's device, so that nobody waits to read it; 0 for any other."""
    return 0 if isinstance(plan, _core.Plan) else plan.address_of(number)


@contextmanager
def emulated() -> Iterator[None]:
    """Let the emulated device step what lies in the host's memory, for tests where there is no device."""
    _ENGINES[1] = "gradstep._emulated"
    try:
        yield
    finally:
        del _ENGINES[1]
