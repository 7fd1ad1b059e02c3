"""AdamW on a CUDA device, ``gradstep bench --device cuda``: against torch's fused step and a copy of as many bytes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

import torch

from gradstep import optim
from gradstep.bench.accuracy import check_agreement
from gradstep.bench.cases import CASES, ON_CUDA, Case
from gradstep.bench.cuda_turns import turn_on_device, turn_on_host
from gradstep.bench.entries import bytes_of
from gradstep.bench.results import Result, Subject, summarize
from gradstep.bench.rules import GRADSTEP
from gradstep.bench.tail import TAILS, OnePass
from gradstep.bench.targets import BEST, Target
from gradstep.bench.timing import YARDSTICK, Pace, run_race

__all__ = ["GOALS", "measure_cuda"]

Tensors = list[torch.Tensor]
Contestants = dict[str, Callable[[], object]]

_CHECKED = 65_536  # elements of each tensor; the tests compare all
_ACCESSES = 7  # of each element: p, m and v are read and written, g is read
_ROUNDINGS = {"float32": 1e-5, "bfloat16": 2**-7}  # of the last digit, where the two round differently on the way

FUSED = "fused"
RULE = "adamw"
#: what a step may take of the host's time, with gradients that are new each time and as a replay of a graph
FRESH, REPLAY = "cuda-host-fresh", "cuda-host-replay"
HOST_LIMITS = {FRESH: ("60 us", 60e-6), REPLAY: ("10 us", 10e-6)}
TAIL = "cuda-tail-gpt2"

GOALS = [
    *(Target(case, RULE, YARDSTICK, 0.92) for case in ("cuda-gpt2", "cuda-gpt2-xl")),
    *(Target(case, RULE, FUSED, 0.98) for case in ("cuda-gpt2", "cuda-gpt2-xl")),
    Target("cuda-thousand", RULE, FUSED, 3),
    *(Target(case, RULE, limit, 1) for case, (limit, _) in HOST_LIMITS.items()),
    Target(TAIL, RULE, BEST, 1.3),
]


def measure_cuda(pace: Pace, device: str = "cuda") -> Iterator[list[Result]]:
    """Check and time each case; gradstep's result comes first.

    Raises:
        CheckFailed: the first steps differ by more than roundings.
    """
    for case in ON_CUDA.values():
        yield _measure_step(case, pace, device)
        gc.collect()  # a torch optimizer is in a cycle with its hooks and would keep its states
    yield _measure_host(FRESH, _fresh, pace, device)
    yield _measure_host(REPLAY, _replays, pace, device)
    yield _measure_tail(pace, device)


def _numbers(case: Case, device: str, seed: int) -> Tensors:
    random = torch.Generator(device).manual_seed(seed)
    dtype = getattr(torch, case.dtype)
    return [torch.randn(shape, generator=random, device=device).to(dtype) for shape in case.shapes]


def _set_gradients(params: Tensors, gradients: Tensors) -> None:
    for p, g in zip(params, gradients, strict=True):
        p.grad = g


def _optimizers(case: Case, device: str) -> dict[str, torch.optim.Optimizer]:
    """gradstep's and torch's, once they have agreed on a first step; they share the gradients."""
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


def _copy(size: int, device: str) -> Callable[[], object]:
    """Reads and writes so many bytes from one end of the device's memory to the other."""
    source = torch.zeros(size // 2, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


def _measure_step(case: Case, pace: Pace, device: str) -> list[Result]:
    size = _ACCESSES * getattr(torch, case.dtype).itemsize * case.elements
    contestants: Contestants = {name: each.step for name, each in _optimizers(case, device).items()}
    contestants[YARDSTICK] = _copy(size, device)
    race = run_race(contestants, pace, turn_on_device)
    return summarize(Subject(case.name, RULE, case.elements, size), [race], {})


class _FreshGradients:
    """Steps with other gradients than the step before, in other memory, as backward makes them."""

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
    return {name: _captured(optimizer.step) for name, optimizer in optimizers.items()}


def _captured(step: Callable[[], object]) -> Callable[[], object]:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def _measure_host(
    name: str, enter: Callable[[dict[str, torch.optim.Optimizer]], Contestants], pace: Pace, device: str
) -> list[Result]:
    """What the host does for a step of 148 tensors, beside a limit."""
    case = ON_CUDA["cuda-gpt2"]
    race = run_race(enter(_optimizers(case, device)), pace, turn_on_host)
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
    contestants: Contestants = {GRADSTEP: ours, **theirs, YARDSTICK: _copy(size, device)}
    return summarize(Subject(TAIL, RULE, case.elements, size), [run_race(contestants, pace, turn_on_device)], {})


def _copies(starts: Tensors) -> Tensors:
    copies = [p.detach().clone() for p in starts]
    _set_gradients(copies, [p.grad.clone() for p in starts if p.grad is not None])
    return copies
