"""A setup that steps, over NumPy arrays or torch tensors, and everything that can be seen of it."""

import copy
import random
import warnings
from typing import Any

import numpy as np
import torch

import gradstep as gs
from gradstep import optim
from support.arrays import DTYPES, awkward, to_numpy, to_torch
from support.injecting import frozen

from .setups import Array, Setup

COMPLEX = {"c64": np.dtype(np.complex64), "c128": np.dtype(np.complex128)}
ITEMS = {**DTYPES, **COMPLEX}
REFUSALS = (TypeError, ValueError, RuntimeError)


def numbers(seed: list[int], shape: tuple[int, ...], dtype: str, odd: bool = False) -> np.ndarray:
    size = int(np.prod(shape))
    if odd and dtype in DTYPES:
        return awkward(seed, size, dtype).reshape(shape)
    drawn = np.random.default_rng(seed).standard_normal((2, size))
    values = drawn[0] + 1j * drawn[1] if dtype in COMPLEX else drawn[0]
    return values.astype(ITEMS[dtype]).reshape(shape)


def laid_out(values: np.ndarray, layout: str) -> np.ndarray:
    """The same values elsewhere in memory."""
    if layout == "transposed":
        return np.ascontiguousarray(values.T).T if values.ndim > 1 else values.copy()
    if layout == "strided" and values.ndim:
        memory = np.full((*values.shape[:-1], 2 * values.shape[-1]), 77, values.dtype)
        view = memory[..., ::2]
    elif layout == "offset" and values.ndim:
        view = np.full([n + 3 for n in values.shape], 77, values.dtype)[tuple(slice(2, -1) for _ in values.shape)]
    elif layout == "unaligned":
        view = np.zeros(values.nbytes + 1, np.uint8)[1:].view(values.dtype).reshape(values.shape)
    else:
        return values.copy()
    view[...] = values
    return view


class Training:
    """An optimizer over parameters, both made from a setup.

    ``layer`` and ``contiguous`` are routes to the same numbers. ``by_hand`` has numbers in the place of schedules,
    which `write_rates` writes.
    """

    def __init__(self, setup: Setup, layer: str | None = None, contiguous: bool = False, by_hand: bool = False) -> None:
        self.setup = setup
        self.layer = layer or setup.layer
        self.contiguous, self.by_hand = contiguous, by_hand
        self.made = 0  #: steps so far
        self.parameters = [self._parameter(i, each) for i, each in enumerate(setup.arrays)]
        self.optimizer = self.make_optimizer()

    def make_optimizer(self) -> Any:
        """An optimizer over the parameters, which has not made a step."""
        left, groups = iter(self.parameters), []
        for own, arrays in self.setup.groups:
            groups.append({"params": [next(left) for _ in arrays], **self._options(own)})
        classes = gs if self.layer == "numpy" else optim
        return getattr(classes, self.setup.name)(groups, **self._options(self.setup.common))

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {key: at(value, 0) if self.by_hand else value for key, value in options.items()}

    def write_rates(self, t: int) -> None:
        """Write what the setup's schedules say of the time t into the groups."""
        for group, (own, _) in zip(self.optimizer.param_groups, self.setup.groups, strict=True):
            group.update({key: at(value, t) for key, value in {**self.setup.common, **own}.items()})

    def _parameter(self, i: int, array: Array) -> Any:
        values = numbers([self.setup.seed, 0, i], array.shape, array.dtype)
        return self.native(values, "contiguous" if self.contiguous else array.layout)

    def native(self, values: np.ndarray, layout: str = "contiguous") -> Any:
        """An array or tensor of these values, in memory of its own."""
        if layout == "contiguous" or self.contiguous:
            return values.copy() if self.layer == "numpy" else to_torch(values.copy()).clone()
        laid = laid_out(values, layout)
        return laid if self.layer == "numpy" else to_torch(laid)

    def gradient(self, t: int, i: int) -> Any:
        """The gradient of parameter i in step t, or None."""
        array = self.setup.arrays[i]
        source = random.Random(f"{self.setup.seed} {t} {i}")
        if source.random() < self.setup.missing:
            return None
        odd = self.setup.awkward and source.random() < 0.3
        if array.sparse and self._takes_rows(i):
            count = source.randrange(0, 6)
            indices = np.array([source.randrange(array.shape[0]) for _ in range(count)], np.int64)
            values = numbers([self.setup.seed, t, i], (count, *array.shape[1:]), array.dtype, odd)
            if self.layer == "numpy":
                return gs.Rows(indices, values)
            return torch.sparse_coo_tensor(torch.from_numpy(indices)[None], to_torch(values), array.shape)
        values = numbers([self.setup.seed, t, i], array.shape, array.dtype, odd)
        return self.native(values, source.choice(["contiguous", "contiguous", "transposed", "strided"]))

    def _takes_rows(self, i: int) -> bool:
        group = self.group_of(i)
        return bool(group["lazy_rows"] or self.optimizer.takes_rows(group)) and group["accumulate"] == 1

    def gradients(self) -> list[Any]:
        """Those of the next step."""
        return [self.gradient(self.made + 1, i) for i in range(len(self.parameters))]

    def give(self, gradients: list[Any]) -> None:
        """Do what comes before ``optimizer.step()`` over torch parameters: add each gradient to ``.grad``."""
        self.optimizer.zero_grad()
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)

    def call(self, gradients: list[Any], **options: Any) -> None:
        """Step with gradients that were given before."""
        if self.layer == "numpy":
            self.optimizer.step(gradients, **options)
        else:
            self.optimizer.step()

    def prepare(self) -> list[Any]:
        """The gradients of the next step, which torch's parameters then hold."""
        given = self.gradients()
        self.made += 1
        if self.layer == "torch":
            self.give(given)
        return given

    def attempt(self, gradients: list[Any]) -> BaseException | None:
        """Step with prepared gradients, and return what that was refused with."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.call(gradients)
            except REFUSALS as refused:
                check_words(refused, "the step")
                return refused
        return None

    def step(self) -> BaseException | None:
        """The next step, and what it was refused with."""
        return self.attempt(self.prepare())

    def run(self, steps: int | None = None) -> "Training":
        for _ in range(self.setup.steps if steps is None else steps):
            self.step()
        return self

    def group_of(self, i: int) -> dict[str, Any]:
        """The group of parameter i."""
        numbers = [n for n, (_, arrays) in enumerate(self.setup.groups) for _ in arrays]
        return self.optimizer.param_groups[numbers[i]]

    def states(self) -> list[dict[str, Any]]:
        """Those of all parameters, in their order."""
        held = self.optimizer.state
        return list(held) if self.layer == "numpy" else [held.get(p, {}) for p in self.parameters]

    def result(self) -> dict[str, Any]:
        """The results that have the same bits by every route."""
        states = []
        for state in self.states():
            seen = {name: plain(value) for name, value in state.items() if name != "gradient_sum"}
            states.append({} if seen.get("step") == "0.0" else seen)  # some are made with the optimizer
        groups = [
            (group.get("updates"), group.get("accumulated"), repr(group.get("last_norm")))
            for group in self.optimizer.param_groups
        ]
        return {"parameters": [frozen(p) for p in self.parameters], "states": states, "groups": groups}

    def look(self, versions: bool = True) -> dict[str, Any]:
        """Everything, to tell whether a call has changed anything; ``versions`` are those of torch's counters."""
        groups = [
            {key: repr(value) for key, value in group.items() if key != "params"}
            for group in self.optimizer.param_groups
        ]
        seen = {
            "parameters": [frozen(p) for p in self.parameters],
            "states": [{name: plain(value) for name, value in state.items()} for state in self.states()],
            "groups": groups,
            "listed": [[id(p) for p in group["params"]] for group in self.optimizer.param_groups],
            "known": len(self.optimizer.state),
        }
        if self.layer == "torch":
            seen["gradients"] = [None if p.grad is None else frozen(p.grad) for p in self.parameters]
            seen["versions"] = [p._version for p in self.parameters] if versions else None
        return seen

    def resumed(self) -> "Training":
        """This training, its optimizer made anew and loaded with what this one saves."""
        saved = copy.deepcopy(self.optimizer.state_dict())
        self.optimizer = self.make_optimizer()
        self.optimizer.load_state_dict(saved)
        return self


def check_words(refused: BaseException, what: str) -> None:
    assert len(str(refused).split()) > 2, f"{what} is refused without words: {refused!r}"


def at(value: Any, t: int) -> Any:
    """A hyper-parameter at the time t."""
    if isinstance(value, tuple):
        return tuple(at(each, t) for each in value)
    return float(value(t)) if isinstance(value, gs.Schedule) else value


def plain(value: Any) -> Any:
    """A value of a state: numbers without their dtype, in which the two layers differ."""
    if not hasattr(value, "shape") or value.ndim:
        return frozen(value)
    return repr(to_numpy(value).item() if isinstance(value, torch.Tensor) else value.item())


def differences(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """Where two looks differ, in a line for each place; nothing where they are equal."""
    lines: list[str] = []
    compare("", found, expected, lines)
    return "\n".join(lines[:12])


def compare(place: str, found: Any, expected: Any, lines: list[str]) -> None:
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for key in found:
            compare(f"{place}.{key}", found[key], expected[key], lines)
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            compare(f"{place}[{i}]", a, b, lines)
    else:
        lines.append(f"{place}: {shown(found)} instead of {shown(expected)}")


def shown(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 3 and isinstance(value[2], bytes):
        name, shape, held = value
        if name in ("float32", "float64", "float16"):
            return f"{name}{shape} {np.frombuffer(held, name)[:6]}"
        return f"{name}{shape} {held[:16].hex()}"
    return repr(value)[:300]


def assert_same(found: dict[str, Any], expected: dict[str, Any], what: str) -> None:
    if lines := differences(found, expected):
        raise AssertionError(f"{what}:\n{lines}")
