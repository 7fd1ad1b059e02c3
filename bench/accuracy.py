"""The checks that come before any time: every contestant against float64, and gradstep against each peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from bench.rules import GRADSTEP, Rule

__all__ = ["CheckFailed", "Error", "check_agreement", "errors_of", "measure_errors"]

Values = npt.NDArray[np.floating]

_STEPS = 10
_SEED = 20_240

#: between two ways to compute a step in float32: several roundings of numbers up to about 4
_ABSOLUTE, _RELATIVE = 2e-6, 1e-5


class CheckFailed(Exception):
    """A contestant computes something else; its time would mean nothing."""


@dataclass(frozen=True)
class Error:
    """The distance of float32 parameters from those of float64, after ten steps from standard normal numbers."""

    largest: float
    root_mean_square: float


def errors_of(values: Values, exact: Values) -> Error:
    distance = np.abs(values.astype(np.float64) - exact)
    return Error(float(distance.max()), float(np.sqrt(np.mean(distance**2))))


def check_agreement(values: Values, peer_values: Values, what: str) -> None:
    """Raise CheckFailed where two results differ by more than roundings."""
    if not np.allclose(values, peer_values, rtol=_RELATIVE, atol=_ABSOLUTE):
        worst = float(np.max(np.abs(values - peer_values)))
        raise CheckFailed(f"{what}: results differ by up to {worst:.3g}")


def measure_errors(rule: Rule, shapes: Sequence[tuple[int, ...]], peers: Sequence[str]) -> dict[str, Error]:
    """Every contestant's error against the first peer of the rule in float64; all must agree with gradstep."""
    exact = _trajectory(rule, rule.peers[0], shapes, torch.float64)
    found = {name: _trajectory(rule, name, shapes, torch.float32) for name in (GRADSTEP, *peers)}
    for name in peers:
        check_agreement(found[GRADSTEP], found[name], f"{rule.name}, gradstep against {name} after {_STEPS} steps")
    return {name: errors_of(values, exact) for name, values in found.items()}


def _trajectory(rule: Rule, contestant: str, shapes: Sequence[tuple[int, ...]], dtype: torch.dtype) -> Values:
    random = torch.Generator().manual_seed(_SEED)
    params = [torch.randn(shape, generator=random).to(dtype) for shape in shapes]
    optimizer = rule.optimizer(contestant, params)
    for _ in range(_STEPS):
        for p in params:
            p.grad = torch.randn(p.shape, generator=random).to(dtype)
        optimizer.step()
    return torch.cat([p.flatten() for p in params]).numpy()
