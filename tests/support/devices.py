"""The devices that tests run on: the places of their tensors, and the capture and replay of steps."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest
import torch

from gradstep.interop import devices
from support.arrays import to_numpy, to_torch

Replay = Callable[[], object]


class Emulated:
    """The host stands in for a device: its kernels as plain C++, over tensors of the CPU."""

    name, module = "emulated", "gradstep._emulated"
    sizes = (0, 1, 4095, 4096, 4097, 70_000)
    large = 300_001

    def missing(self) -> str | None:
        """The reason for its absence, if there is none."""
        if importlib.util.find_spec(self.module):
            return None
        return f"{self.module} is not built: install with --config-settings=cmake.define.GRADSTEP_EMULATED=ON"

    def put(self, array: np.ndarray) -> torch.Tensor:
        """A copy of the array on the device."""
        return to_torch(array.copy())

    def get(self, tensor: torch.Tensor) -> np.ndarray:
        return to_numpy(tensor).copy()

    def stepping(self) -> AbstractContextManager[None]:
        """Make the steps within this context on the device."""
        return devices.emulated()

    def capture(self, step: Callable[[], object]) -> Replay:
        """Record a step's launches without running them; each call of the result runs them."""
        from gradstep import _emulated

        _emulated.begin_capture()
        try:
            step()
        finally:
            graph = _emulated.end_capture()
        return graph.replay


class Cuda:
    name, module = "cuda", "gradstep._cuda"
    sizes = Emulated.sizes
    large = 20_000_001  # more blocks than run at once

    def missing(self) -> str | None:
        if not torch.cuda.is_available():
            return "torch finds no CUDA device"
        if not importlib.util.find_spec(self.module):
            return f"{self.module} is not built: install with --config-settings=cmake.define.GRADSTEP_CUDA=ON"
        return None

    def put(self, array: np.ndarray) -> torch.Tensor:
        return to_torch(array).cuda()

    def get(self, tensor: torch.Tensor) -> np.ndarray:
        return to_numpy(tensor.cpu())

    def stepping(self) -> AbstractContextManager[None]:
        return nullcontext()

    def capture(self, step: Callable[[], object]) -> Replay:
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):
            step()
        return graph.replay


Device = Emulated | Cuda
DEVICES = {kind.name: kind for kind in (Emulated, Cuda)}


def device_named(name: str) -> Device:
    """That device; skips the test where there is none."""
    device = DEVICES[name]()
    if missing := device.missing():
        pytest.skip(missing)
    return device
