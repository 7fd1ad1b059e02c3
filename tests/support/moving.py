"""An optimizer in the middle of its training, the arrays that a step touches, and ways to move them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch

import gradstep
from gradstep import optim
from support.arrays import normal, to_torch
from support.devices import Emulated
from support.injecting import frozen

#: the two Python layers, with their arrays and devices
KINDS = ("numpy", "tensors", "optim", "device")
ROWS, COLUMNS = 6, 6
OPTIONS = {"ema": 0.9, "ema_bias_correction": True, "cast_to": "f16"}


class Training:
    """Two parameters, their gradients and an optimizer that has made two steps over them."""

    def __init__(self, case: Any, kind: str, shape: tuple[int, ...] = (ROWS, COLUMNS), **options: Any) -> None:
        self.case, self.kind, self.options = case, kind, {**OPTIONS, **options}
        self.parameters = [self._array(normal(seed, shape)) for seed in (1, 2)]
        self._make()
        for seed in (10, 20):
            self.give([self._array(normal(seed + i, shape)) for i in (0, 1)])
            self.step()
        self.give([self._array(normal(30 + i, shape)) for i in (0, 1)])

    def _array(self, values: np.ndarray) -> Any:
        return values.copy() if self.kind == "numpy" else to_torch(values).clone()

    def _make(self) -> None:
        layer = optim if self.kind in ("optim", "device") else gradstep
        self.optimizer = getattr(layer, self.case.name)(self.parameters, **{**self.case.hyper, **self.options})

    @property
    def takes_gradients(self) -> bool:
        return self.kind in ("numpy", "tensors")

    def give(self, gradients: list[Any]) -> None:
        if self.takes_gradients:
            self.gradients = gradients
        else:
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient

    def gradient(self, index: int) -> Any:
        return self.gradients[index] if self.takes_gradients else self.parameters[index].grad

    def state(self, index: int) -> dict[str, Any]:
        return self.optimizer.state[index if self.takes_gradients else self.parameters[index]]

    def step(self, *closure: Any) -> None:
        with Emulated().stepping() if self.kind == "device" else nullcontext():
            self.optimizer.step(*([self.gradients] if self.takes_gradients else closure))

    def touched(self, index: int) -> dict[str, Any]:
        """The arrays of a parameter that a step uses, by name."""
        return {"parameter": self.parameters[index], "gradient": self.gradient(index), **self.state(index)}

    def copied(self) -> Training:
        """A copy in other memory, with an optimizer that has not been moved."""
        twin = copy.copy(self)
        gradients = [_copy(self.gradient(index)) for index in (0, 1)]
        twin.parameters = [_copy(parameter) for parameter in self.parameters]
        twin._make()
        twin.optimizer.load_state_dict(self.optimizer.state_dict())
        twin.give(gradients)
        return twin

    def look(self, left_out: Any = None) -> dict[Any, Any]:
        """The bits of everything but one array."""
        touched = {(name, i): each for i in (0, 1) for name, each in self.touched(i).items()}
        seen = {key: frozen(_copy(each)) for key, each in touched.items() if each is not left_out}
        groups = [{key: value for key, value in g.items() if key != "params"} for g in self.optimizer.param_groups]
        return {"groups": groups, **seen}


class Move(NamedTuple):
    """A change to an array, and whether a step still accepts it."""

    name: str
    do: Callable[[Any], object]
    fits: bool  #: after it; else a step must refuse it
    only_if_written: bool = False  #: a step that only reads it need not refuse it


def _copy(array: Any) -> Any:
    if array is None:
        return None
    return array.copy(order="K") if isinstance(array, np.ndarray) else array.detach().clone()


def _set_data(x: torch.Tensor) -> None:
    x.data = x.detach().clone()


def resize_there_and_back(x: np.ndarray) -> None:
    shape = x.shape
    x.resize((4096,), refcheck=False)
    x.resize(shape or (1,), refcheck=False)
    x.shape = shape


TORCH_MOVES = [
    Move("set_", lambda x: x.set_(x.detach().clone()), True),
    Move("data", _set_data, True),
    Move("share_memory_", lambda x: x.share_memory_(), True),
    Move("swap_tensors", lambda x: torch.utils.swap_tensors(x, x.detach().clone()), True),
    Move("a larger storage", lambda x: x.untyped_storage().resize_(1 << 16), True),
    Move("t_", lambda x: x.t_(), True),
    Move("resize_ to less", lambda x: x.resize_((0,)), False),
    Move("resize_ to more", lambda x: x.resize_((ROWS * 30, COLUMNS)), False),
    Move("an empty storage", lambda x: x.untyped_storage().resize_(0), False),
    Move("a smaller storage", lambda x: x.untyped_storage().resize_(2), False),
]
NUMPY_MOVES = [
    Move("resize there and back", resize_there_and_back, True),
    Move("resize to less", lambda x: x.resize((0,), refcheck=False), False),
    Move("resize to more", lambda x: x.resize((ROWS * 30, COLUMNS), refcheck=False), False),
    Move("setflags", lambda x: x.setflags(write=False), False, only_if_written=True),
]


def moves(array: Any) -> list[Move]:
    return NUMPY_MOVES if isinstance(array, np.ndarray) else TORCH_MOVES
