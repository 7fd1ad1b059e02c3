"""The whole tail of an iteration: unscale, clip by norm, AdamW, average and zero, in float32.

torch needs several passes for it, here in three variants:

- ``GradScaler``: the gradients are unscaled, then clipped, as in torch's documentation.
- ``grad_scale``: the gradients are clipped while they are scaled, and the fused step unscales them.
- ``folded``: the clipping factor is folded into that scale by hand, which saves its pass.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_

from gradstep import optim
from gradstep_bench.cases import Case
from gradstep_bench.entries import Entry, Sweep
from gradstep_bench.measure import measure_trial
from gradstep_bench.results import Result
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.timing import Pace

__all__ = ["BYTES", "FOLDED", "GRAD_SCALE", "SCALER", "TAILS", "OnePass", "TailTrial", "measure_tail"]

SCALER, GRAD_SCALE, FOLDED = "GradScaler", "grad_scale", "folded"

#: the bytes per element that torch's passes move: the norm 4, AdamW 28 (4 more where it unscales), the average 12,
#: the zeros 4; unscaling and clipping 8 each where they are separate passes
BYTES = {SCALER: 64, GRAD_SCALE: 60, FOLDED: 52}

_SCALE, _MAX_NORM, _DECAY = 1024.0, 1.0, 0.999


class Tail:
    """Everything after backward, once in each call, over gradients that are refilled before it."""

    def __init__(self, params: list[torch.Tensor]) -> None:
        self.params = params
        self._filled = [_gradient(p) for p in params]
        for p, g in zip(params, self._filled, strict=True):
            p.grad = g.clone()

    @property
    def gradients(self) -> list[torch.Tensor]:
        return [_gradient(p) for p in self.params]

    def prepare(self) -> None:
        torch._foreach_copy_(self.gradients, self._filled)

    @abstractmethod
    def __call__(self) -> None: ...

    @abstractmethod
    def averages(self) -> list[torch.Tensor]: ...


class OnePass(Tail):
    """gradstep's: a pass over the gradients for their norm, then one for everything else."""

    def __init__(self, params: list[torch.Tensor]) -> None:
        super().__init__(params)
        self.optimizer = optim.AdamW(params, clip_norm=_MAX_NORM, skip_nonfinite=True, ema=_DECAY, zero_grad=True)
        _set_scale(self.optimizer, torch.tensor(_SCALE, device=params[0].device))

    def __call__(self) -> None:
        self.optimizer.step()

    def averages(self) -> list[torch.Tensor]:
        return [self.optimizer.state[p]["ema"] for p in self.params]

    def sweeps(self) -> list[Sweep]:
        """The pass for the norm, and the update."""
        states = [self.optimizer.state[p] for p in self.params]
        norm: Sweep = [([], [g]) for g in self.gradients]
        names = ("exp_avg", "exp_avg_sq", "ema")
        rest: Sweep = [
            ([p, _gradient(p), *(s[name] for name in names)], []) for p, s in zip(self.params, states, strict=True)
        ]
        return [norm, rest]


class TorchTail(Tail):
    """The passes that all of torch's variants share."""

    def __init__(self, params: list[torch.Tensor]) -> None:
        super().__init__(params)
        self.optimizer = torch.optim.AdamW(params, fused=True)
        self._averages = [p.clone() for p in params]

    def averages(self) -> list[torch.Tensor]:
        return self._averages

    @torch.no_grad()
    def __call__(self) -> None:
        self.update()
        torch._foreach_lerp_(self._averages, self.params, 1 - _DECAY)
        self.optimizer.zero_grad(set_to_none=False)

    @abstractmethod
    def update(self) -> None: ...


class WithScaler(TorchTail):
    def __init__(self, params: list[torch.Tensor]) -> None:
        super().__init__(params)
        device = params[0].device
        self._scaler = torch.amp.GradScaler(device.type, init_scale=_SCALE, growth_interval=1 << 30)
        self._scaler.scale(torch.zeros((), device=device))  # makes its tensors

    def update(self) -> None:
        self._scaler.unscale_(self.optimizer)
        clip_grad_norm_(self.params, _MAX_NORM, foreach=True)
        self._scaler.step(self.optimizer)
        self._scaler.update()


class WithGradScale(TorchTail):
    def __init__(self, params: list[torch.Tensor]) -> None:
        super().__init__(params)
        _set_scale(self.optimizer, torch.tensor(_SCALE, device=params[0].device))

    def update(self) -> None:
        if clip_grad_norm_(self.params, _MAX_NORM * _SCALE, foreach=True).isfinite():
            self.optimizer.step()


class Folded(TorchTail):
    def update(self) -> None:
        # the passes of torch.nn.utils.get_total_norm, which torch 2.4 lacks
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(self.gradients))) / _SCALE
        if norm.isfinite():
            _set_scale(self.optimizer, _SCALE * ((norm + 1e-6) / _MAX_NORM).clamp(min=1))
            self.optimizer.step()


TAILS: dict[str, Callable[[list[torch.Tensor]], TorchTail]] = {
    SCALER: WithScaler,
    GRAD_SCALE: WithGradScale,
    FOLDED: Folded,
}


class TailTrial:
    rule, exact = "adamw", SCALER

    def __init__(self, case: Case) -> None:
        self.case = replace(case, name=f"tail-{case.name}")

    def enter(self, contestant: str, params: list[torch.Tensor]) -> Entry:
        if contestant == GRADSTEP:
            ours = OnePass(params)
            return Entry(ours, lambda: [*params, *ours.averages()], ours.sweeps)
        theirs = TAILS[contestant](params)
        return Entry(theirs, lambda: [*params, *theirs.averages()])


def measure_tail(case: Case, peers: Sequence[str], pace: Pace) -> list[Result]:
    """Check and time gradstep against torch's variants; each has the ratio that the bytes alone would give."""
    results = measure_trial(TailTrial(case), peers, pace)
    return [_with_limit(result) for result in results]


def _with_limit(result: Result) -> Result:
    if result.contestant not in BYTES or not result.step_bytes:
        return result
    return replace(result, at_most=BYTES[result.contestant] * result.elements / result.step_bytes)


def _set_scale(optimizer: Any, scale: torch.Tensor) -> None:
    """Set the scale as torch.amp.GradScaler does."""
    optimizer.grad_scale = scale


def _gradient(p: torch.Tensor) -> torch.Tensor:
    assert p.grad is not None
    return p.grad
