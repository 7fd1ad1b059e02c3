"""AdamW on a CUDA device, ``gradstep bench --device cuda``: against torch's fused step and a copy of as many bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from statistics import median
from typing import NamedTuple

import torch

from gradstep import optim
from gradstep.interop.devices import read_modify_write
from gradstep_bench.accuracy import check_agreement
from gradstep_bench.cases import CASES, ON_CUDA, Case
from gradstep_bench.cuda_turns import DeviceTurn, turn_on_host
from gradstep_bench.entries import bytes_of
from gradstep_bench.results import Result, Subject, summarize
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.tail import TAILS, OnePass
from gradstep_bench.targets import BEST, Target
from gradstep_bench.timing import YARDSTICK, Pace, race_turns

__all__ = ["GOALS", "measurements"]

Tensors = list[torch.Tensor]
Contestants = dict[str, Callable[[], object]]

_CHECKED = 65_536  # elements of each tensor; the tests compare all
_ACCESSES = 7  # for each element: p, m and v are read and written, g is read
_ROUNDINGS = {"float32": 1e-5, "bfloat16": 2**-7}  # of the last digit: the two round intermediate results differently

_MOST_BYTES = 1 << 32  # of a yardstick: buffers for all bytes of the largest case would not fit with its tensors

FUSED = "fused"
#: the yardstick that writes back the values that it has read
IN_PLACE = "memory in place"
RULE = "adamw"
#: the limits for the host's time of a step, with new gradients each time and as the replay of a graph
FRESH, REPLAY = "cuda-host-fresh", "cuda-host-replay"
HOST_LIMITS = {FRESH: ("130 us", 130e-6), REPLAY: ("10 us", 10e-6)}
TAIL = "cuda-tail-gpt2"
LARGEST = "cuda-gpt2-xl"

GOALS = [
    *(Target(case, RULE, YARDSTICK, 0.92) for case in ("cuda-gpt2", LARGEST)),
    Target("cuda-gpt2-bf16", RULE, YARDSTICK, 0.75),
    *(Target(case, RULE, IN_PLACE) for case in ("cuda-gpt2", LARGEST)),
    *(Target(case, RULE, FUSED, 0.98) for case in ("cuda-gpt2", LARGEST)),
    Target("cuda-thousand", RULE, FUSED, 3),
    *(Target(case, RULE, limit, 1) for case, (limit, _) in HOST_LIMITS.items()),
    Target(TAIL, RULE, BEST, 1.3),
]


def measurements(pace: Pace, device: str = "cuda") -> dict[str, Callable[[], list[Result]]]:
    """The functions that check and time each case, the largest last; gradstep's result comes first.

    Each raises CheckFailed where the first steps differ by more than roundings.
    """
    steps = {name: partial(_measure_step, case, pace, device) for name, case in ON_CUDA.items()}
    return {
        **{name: steps.pop(name) for name in list(steps) if name != LARGEST},
        FRESH: partial(_measure_host, FRESH, _fresh, pace, device),
        REPLAY: partial(_measure_host, REPLAY, _replays, pace, device),
        TAIL: partial(_measure_tail, pace, device),
        **steps,
    }


def _numbers(case: Case, device: str, seed: int) -> Tensors:
    random = torch.Generator(device).manual_seed(seed)
    dtype = getattr(torch, case.dtype)
    return [torch.randn(shape, generator=random, device=device).to(dtype) for shape in case.shapes]


def _set_gradients(params: Tensors, gradients: Tensors) -> None:
    for p, g in zip(params, gradients, strict=True):
        p.grad = g


def _optimizers(case: Case, device: str) -> dict[str, torch.optim.Optimizer]:
    """gradstep's and torch's optimizers, after they agreed on a first step; they share the gradients."""
    ours = _numbers(case, device, seed=1)
    theirs = [p.clone() for p in ours]
    gradients = _numbers(case, device, seed=2)
    for params in (ours, theirs):
        _set_gradients(params, gradients)
    optimizers: dict[str, torch.optim.Optimizer] = {
        GRADSTEP: optim.AdamW(ours, state_dtype="param"),
        FUSED: torch.optim.AdamW(theirs, fused=True, capturable=device != "cpu"),
    }
    for optimizer in optimizers.values():
        optimizer.step()
    _check(case, ours, theirs)
    return optimizers


def _check(case: Case, ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor]) -> None:
    for own, other in zip(ours, theirs, strict=True):
        first, second = (each.flatten()[:_CHECKED].float().cpu().numpy() for each in (own, other))
        check_agreement(first, second, f"{case.name}, the first step against torch", _ROUNDINGS[case.dtype])


class Yardstick(NamedTuple):
    """A copy, whose time is scaled to a step's bytes: far above the caches its speed does not depend on the size."""

    call: Callable[[], object]
    moved: int


def _random_bytes(size: int, device: str) -> torch.Tensor:
    """Random values: a device may move zeros faster."""
    random = torch.Generator(device).manual_seed(3)
    return torch.empty(size, dtype=torch.uint8, device=device).random_(0, 256, generator=random)


def _copy(size: int, device: str) -> Yardstick:
    """Reads and writes so many bytes, up to the limit, from end to end."""
    source = _random_bytes(min(size, _MOST_BYTES) // 2, device)
    target = torch.empty_like(source)
    return Yardstick(lambda: target.copy_(source), 2 * source.nbytes)


def _in_place(size: int, device: str) -> Yardstick:
    """Reads four arrays and writes three of them back unchanged; a step has the same accesses."""
    each = max(min(size, _MOST_BYTES) // _ACCESSES // 16, 1) * 16
    whole = _random_bytes(4 * each, device).view(torch.float32)
    *written, read = whole.chunk(4)
    return Yardstick(read_modify_write(written, read), _ACCESSES * each)


def _measure_step(case: Case, pace: Pace, device: str) -> list[Result]:
    size = _ACCESSES * getattr(torch, case.dtype).itemsize * case.elements
    contestants: Contestants = {name: each.step for name, each in _optimizers(case, device).items()}
    yardsticks = {YARDSTICK: _copy(size, device), IN_PLACE: _in_place(size, device)}
    return _race(Subject(case.name, RULE, case.elements, size), contestants, yardsticks, pace)


def _race(subject: Subject, contestants: Contestants, yardsticks: dict[str, Yardstick], pace: Pace) -> list[Result]:
    calls = {**contestants, **{name: each.call for name, each in yardsticks.items()}}
    turns = {name: DeviceTurn(call) for name, call in calls.items()}
    race = race_turns(turns, pace)
    for name, yardstick in yardsticks.items():
        race[name] = [seconds * (subject.step_bytes or 0) / yardstick.moved for seconds in race[name]]
    results = summarize(subject, [race], {})
    return [replace(each, host_seconds=median(turns[each.contestant].host_seconds)) for each in results]


class _FreshGradients:
    """Makes each step with new gradients in new memory, as backward does."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._params = optimizer.param_groups[0]["params"]
        self._sets = cycle([[torch.randn_like(p) for p in self._params] for _ in range(3)])

    def prepare(self) -> None:
        _set_gradients(self._params, next(self._sets))

    def __call__(self) -> None:
        self._optimizer.step()


def _fresh(optimizers: dict[str, torch.optim.Optimizer]) -> Contestants:
    return {name: _FreshGradients(optimizer) for name, optimizer in optimizers.items()}


def _replays(optimizers: dict[str, torch.optim.Optimizer]) -> Contestants:
    return {name: _Replay(optimizer) for name, optimizer in optimizers.items()}


class _Replay:
    """Replays a step's graph, which reads and writes the memory of the optimizer and its gradients: both are kept."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            optimizer.step()

    def __call__(self) -> None:
        self._graph.replay()


def _measure_host(
    name: str, enter: Callable[[dict[str, torch.optim.Optimizer]], Contestants], pace: Pace, device: str
) -> list[Result]:
    """The host's time for a step of 148 tensors, compared with a limit."""
    case = ON_CUDA["cuda-gpt2"]
    contestants = enter(_optimizers(case, device))
    race = race_turns({name: turn_on_host(call) for name, call in contestants.items()}, pace)
    limit, seconds = HOST_LIMITS[name]
    race[limit] = [seconds] * len(race[GRADSTEP])
    return summarize(Subject(name, RULE, case.elements), [race], {})


def _measure_tail(pace: Pace, device: str) -> list[Result]:
    case = CASES["gpt2"]
    starts = _numbers(case, device, seed=1)
    for p, g in zip(starts, _numbers(case, device, seed=2), strict=True):
        p.grad = 1024 * g
    ours = OnePass(_copies(starts))
    theirs = {name: make(_copies(starts)) for name, make in TAILS.items()}
    ours()
    for tail in theirs.values():
        tail()
        _check(case, ours.params, tail.params)
    size = bytes_of(ours.sweeps())
    subject = Subject(TAIL, RULE, case.elements, size)
    return _race(subject, {GRADSTEP: ours, **theirs}, {YARDSTICK: _copy(size, device)}, pace)


def _copies(starts: Tensors) -> Tensors:
    copies = [p.detach().clone() for p in starts]
    _set_gradients(copies, [p.grad.clone() for p in starts if p.grad is not None])
    return copies
