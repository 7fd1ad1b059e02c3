"""The engine for each device: the core itself for host memory, ``_cuda`` for CUDA devices.

A device's engine is loaded at the first step over its arrays. Until then a model may be moved; afterwards all arrays of
an optimizer stay on that device. Steps on a device do not wait for it, with these consequences:

* ``grad_scale``, ``found_inf`` and the numbers of a group (``lr``, an entry of ``betas``, ``clip_norm``; not
  ``momentum``, which decides what runs) may be float32 or float64 tensors of one element there. The device reads
  them, so their ranges are not checked, and a captured graph uses the values that they have at each replay.
* ``stats()`` and ``state_dict()`` wait.
* The device evaluates schedules, by its own count of updates, which excludes skipped ones. The groups show the host's
  count, and in a ``state_dict`` the device's. A skipped step may have made states, with the numbers that the groups
  show (those of ASGD and Rprop depend on the rate).
* After a first step, which makes states and tables, a step can be captured in a CUDA graph. Replays follow schedules,
  skip updates and follow a changing scale. The gradients must stay where they were at the capture, and each optimizer
  has one graph, which keeps it alive. Numbers that are neither schedules nor tensors on the device are fixed by the
  capture; a tensor must be written to, because a replay does not see another one in its place.
* The steps of an optimizer are made in the order of their calls, even on different streams (as the hooks of ``release``
  may be): a step on another stream waits there for the last one. The caller orders the replays of graphs.
* float32 and float64 results have the bits of the CPU, except for a NaN's sign and payload.
* The standalone functions of :mod:`gradstep.functional` wait until they are done, and can't be captured.
* The tables of a step take a few megabytes in addition to the arrays. If there is no memory left, the cache of the
  arrays' library is emptied once; a step that then raises ``MemoryError`` has written and counted nothing.
* Sparse gradients, unaligned arrays and, in a graph, ``accumulate`` are refused.
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

__all__ = ["Plan", "empty_caches", "emulated", "operations_on", "plan_for", "read_modify_write", "scalar_on"]

Plan = _core.Plan | _core.DevicePlan

_CUDA = 2  # DLPack's device type
_ENGINES: dict[int, str] = {_CUDA: "gradstep._cuda"}
_calls = threading.local()


def plan_for(parameters: list[Any]) -> Plan:
    """Make a plan for the device of the parameters.

    Raises:
        TypeError: they are on several devices, or can't be read.
        RuntimeError: this installation has no engine for their device.
    """
    kind, number = _core.common_device(parameters)
    if kind not in _ENGINES:
        return _core.Plan()
    return _core.DevicePlan(_load(_ENGINES[kind], number), number)


def operations_on(arrays: list[Any]) -> _core.StandaloneOperations:
    """The standalone operations on the device of the first of these arrays.

    Raises:
        RuntimeError: this installation has no engine for their device.
    """
    kind, number = _core.common_device([array for array in arrays if array is not None][:1])
    if kind not in _ENGINES:
        return _core.HostOperations(get_num_threads())
    known = vars(_calls).setdefault("by_device", {})  # their memory is reused
    if (kind, number) not in known:
        known[kind, number] = _core.DeviceOperations(_load(_ENGINES[kind], number), number)
    calls: _core.StandaloneOperations = known[kind, number]
    return calls


def read_modify_write(written: list[Any], read: Any) -> Callable[[], None]:
    """A function that moves the bytes of a step over these arrays without changing them, to time their memory.

    Args:
        written: arrays to read and write back; three on a device.
        read: an array of the same size to read.

    Raises:
        TypeError, ValueError: the arrays are on several devices, not contiguous, or of different sizes.
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
    """The current stream of an array's library, if the core can't find it itself."""
    if type(array).__module__.partition(".")[0] == "cupy":
        return int(importlib.import_module("cupy").cuda.get_current_stream(number).ptr)
    import torch

    return int(torch.cuda.current_stream(number).cuda_stream)


def empty_caches() -> None:
    """Free the unused device memory that torch and CuPy cache.

    The core calls it when a device has no memory left for the tables of a step, and then tries once more.
    """
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()
    if cupy := sys.modules.get("cupy"):
        cupy.get_default_memory_pool().free_all_blocks()


def scalar_on(plan: Plan, number: object) -> _core.ScalarRef | None:
    """A reference to a number on the plan's device, which is read there; None for any other number."""
    return None if isinstance(plan, _core.Plan) else plan.find_scalar(number)


@contextmanager
def emulated() -> Iterator[None]:
    """Use the emulated device for arrays in host memory, for tests without a device."""
    _ENGINES[1] = "gradstep._emulated"
    try:
        yield
    finally:
        del _ENGINES[1]
