"""Two equal optimizers, on the CPU's engine and on a device's, whose steps must agree to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from gradstep import _core
from support.arrays import DTYPES, assert_same_bits, normal, to_numpy, to_torch
from support.devices import Device
from support.training import allow_gradients_of

Make = Callable[[list[torch.Tensor]], Any]
View = Callable[[torch.Tensor], torch.Tensor]

#: layouts of tensors: contiguous, unaligned for wide accesses, with gaps, and with permuted dimensions
VIEWS: dict[str, View] = {
    "straight": lambda x: x,
    "shifted": lambda x: x[1:],
    "gaps": lambda x: x[::2],
    "turned": lambda x: x.view(-1, 5).t(),
}


class Twins:
    """``make`` gets the parameters; ``view`` gives them and their gradients a layout."""

    def __init__(self, device: Device, make: Make, starts: Sequence[np.ndarray], view: View = VIEWS["straight"]):
        self.device, self.view = device, view
        self.host = [self._on_host(start) for start in starts]
        self.there = [self._on_device(start) for start in starts]
        self.expected, self.found = make(self.host), make(self.there)

    def _on_host(self, array: np.ndarray) -> torch.Tensor:
        return self.view(to_torch(array.copy()))

    def _on_device(self, array: np.ndarray) -> torch.Tensor:
        return self.view(self.device.put(array))

    def take(self, gradients: Sequence[np.ndarray | None]) -> None:
        """Give each parameter its gradient."""
        for p, g in self._on_both(gradients):
            if g is not None:
                allow_gradients_of(p, g.dtype)
            p.grad = g

    def add(self, gradients: Sequence[np.ndarray | None]) -> None:
        """Add to the gradients, as backward does."""
        for p, g in self._on_both(gradients):
            if p.grad is None:
                p.grad = g
            elif g is not None:
                p.grad += g

    def renew(self, gradients: Sequence[np.ndarray]) -> None:
        """Write other numbers into the gradients that are there, as a captured backward does."""
        for p, g in self._on_both(gradients):
            p.grad.copy_(g)

    def _on_both(self, arrays: Sequence[np.ndarray | None]) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        for params, put in ((self.host, self._on_host), (self.there, self._on_device)):
            for p, array in zip(params, arrays, strict=True):
                yield p, None if array is None else put(array)

    def set(self, name: str, value: float | None) -> None:
        """The attribute that torch.amp.GradScaler sets on an optimizer: a number on its device."""
        number = None if value is None else np.array([value], np.float32)
        setattr(self.expected, name, None if number is None else to_torch(number))
        setattr(self.found, name, None if number is None else self.device.put(number))

    def step(self) -> None:
        self.expected.step()
        with self.device.stepping():
            self.found.step()
        assert isinstance(self.found._plan, _core.DevicePlan)

    def captured(self) -> Callable[[], None]:
        """Capture the device's step; each call of the result makes it there, and a step on the CPU."""
        with self.device.stepping():
            replay = self.device.capture(self.found.step)

        def step_both() -> None:
            self.expected.step()
            replay()

        return step_both

    def updates(self) -> tuple[int, ...]:
        """The updates that the schedules have counted on the CPU, and on the device."""
        return tuple(each.state_dict()["param_groups"][0]["updates"] for each in (self.expected, self.found))

    def assert_same(self) -> None:
        for p, q in zip(self.host, self.there, strict=True):
            self._assert_same_bits(q, p)
            self._assert_same_bits(q.grad, p.grad)
            expected, found = self.expected.state[p], self.found.state[q]
            assert set(found) == set(expected)
            for name, values in expected.items():
                self._assert_same_bits(found[name], values)

    def _assert_same_bits(self, found: torch.Tensor | None, expected: torch.Tensor | None) -> None:
        assert (found is None) == (expected is None)
        if expected is not None:
            assert_same_bits(self.device.get(found), to_numpy(expected))


def normals(t: int, sizes: Sequence[int], dtype: str = "f32") -> list[np.ndarray]:
    """Numbers of step ``t``, for each size; 0 for the parameters at the start."""
    return [normal(7919 * t + i, size, dtype) for i, size in enumerate(sizes)]


def kinds() -> list[tuple[str, str, str | None]]:
    """The dtypes of parameters, gradients and states that go together."""
    same = [(dtype, dtype, None) for dtype in DTYPES]
    return [*same, ("bf16", "f32", "param"), ("f32", "bf16", None), ("f16", "f16", "param"), ("f32", "f64", None)]
