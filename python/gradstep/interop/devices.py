"""Which engine steps the arrays of a device: the core those in the host's memory, ``_cuda`` those on CUDA devices.

The engine of a device is loaded when the first step meets one of its arrays. Until then a model may be moved; from then
on all arrays of an optimizer lie on that device. What differs on a device, where no step waits for it:

* ``grad_scale``, ``found_inf`` and the numbers of a group (``lr``, an entry of ``betas``, ``clip_norm``; not
  ``momentum``, which decides what runs) may be float32 or float64 tensors of one element there. They are read there:
  nobody waits, nobody sees whether they are in their intervals, and a captured graph follows what is written into them.
* ``stats()`` and ``state_dict()`` wait.
* Schedules are evaluated there, by the device's own count of updates, which leaves out those that it skips; the groups
  show the host's count, and in a ``state_dict`` the device's. A step that is skipped may have made states, by the
  numbers that the groups show (ASGD and Rprop begin with the rate).
* A whole step can be captured in a CUDA graph, after one that made its states and tables, and is replayed with rates
  that change, updates that are skipped and a scale that moves. The gradients stay where they were at the capture, one
  graph for each optimizer, and the optimizer lives as long as its graph. Numbers that are neither schedules nor tensors
  there stay too, and a tensor stays the one of the capture: write into it, another in its place changes no replay.
* The steps of an optimizer are made in the order of their calls, also where these are on different streams (as the
  hooks of ``release`` may be): one on another stream than the last waits there for it. The replays of a graph are
  ordered by who makes them.
* float32 and float64 get the bits of the CPU, but that a NaN's sign and payload are the processor's.
* The calls of :mod:`gradstep.functional` that surround an update wait until they are done, and are not captured.
* The tables of a step take a few megabytes beside what the library of the arrays takes. Where there is none left, its
  cache is emptied once; a step that then raises ``MemoryError`` has written and counted nothing.
* Sparse gradients, arrays that are not aligned to their own numbers and, in a graph, ``accumulate`` are refused.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from gradstep import _core
from gradstep.interop.threads import get_num_threads

__all__ = ["Plan", "calls_for", "cell_on", "empty_caches", "emulated", "plan_for", "read_modify_write"]

Plan = _core.Plan | _core.DevicePlan

_CUDA = 2  # DLPack's type of a device
_ENGINES: dict[int, str] = {_CUDA: "gradstep._cuda"}
_calls = threading.local()


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


def calls_for(arrays: list[Any]) -> _core.StandaloneOperations:
    """What surrounds a step in calls of their own, for arrays that lie where the first of these does.

    Raises:
        RuntimeError: this installation has no engine for their device.
    """
    kind, number = _core.common_device([array for array in arrays if array is not None][:1])
    if kind not in _ENGINES:
        return _core.HostOperations(get_num_threads())
    known = vars(_calls).setdefault("by_device", {})  # their memory is used again
    if (kind, number) not in known:
        known[kind, number] = _core.DeviceOperations(_load(_ENGINES[kind], number), number)
    calls: _core.StandaloneOperations = known[kind, number]
    return calls


def read_modify_write(written: list[Any], read: Any) -> Callable[[], None]:
    """What moves the bytes of a step over these arrays and changes none: the yardstick of their memory.

    Args:
        written: arrays to read and to write back; three on a device.
        read: one to read, of their size.

    Raises:
        TypeError, ValueError: the arrays lie in several places, or not whole, or differ in size.
    """
    kind, number = _core.common_device([*written, read])
    if kind not in _ENGINES:
        return partial(_core.ReadModifyWrite([(written, [read])]).run, get_num_threads())
    return _core.DeviceReadModifyWrite(_load(_ENGINES[kind], number), number, written, read).run


def _load(module: str, number: int) -> Any:
    try:
        return importlib.import_module(module).engine
    except ImportError as error:
        raise RuntimeError(
            f"the parameters are on cuda:{number}, and this installation of gradstep has no engine for CUDA devices "
            f"({error}): move them to the CPU, or build it where nvcc and a copy of the sources are, "
            "pip install --config-settings=cmake.define.GRADSTEP_CUDA=ON ."
        ) from error


def current_stream(array: Any, number: int) -> int:
    """The stream that an array's library works on now, for one that does not tell the core by itself."""
    if type(array).__module__.partition(".")[0] == "cupy":
        return int(importlib.import_module("cupy").cuda.get_current_stream(number).ptr)
    import torch

    return int(torch.cuda.current_stream(number).cuda_stream)


def empty_caches() -> None:
    """Let torch and CuPy give back the devices' memory that they keep and do not use.

    The core calls it where a device has no memory left for the tables of a step, and tries once more.
    """
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()
    if cupy := sys.modules.get("cupy"):
        cupy.get_default_memory_pool().free_all_blocks()


def cell_on(plan: Plan, number: object) -> _core.ScalarRef | None:
    """Where a number lies on the plan's device, so that nobody waits to read it; None for any other number."""
    return None if isinstance(plan, _core.Plan) else plan.find_scalar(number)


@contextmanager
def emulated() -> Iterator[None]:
    """Let the emulated device step what lies in the host's memory, for tests where there is no device."""
    _ENGINES[1] = "gradstep._emulated"
    try:
        yield
    finally:
        del _ENGINES[1]
