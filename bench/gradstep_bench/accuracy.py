"""The checks before any timing: every contestant against float64, and gradstep against each peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from gradstep_bench.entries import Trial
from gradstep_bench.rules import GRADSTEP

__all__ = ["CheckFailed", "Error", "check_agreement", "errors_of", "measure_errors"]

Values = npt.NDArray[np.floating]

_STEPS = 10
_SEED = 20_240

#: between two computations of a step in float32: several roundings of numbers up to about 4, and norms over millions of
#: elements, which some peers sum in float32
_ROUNDINGS = 1e-5


class CheckFailed(Exception):
    """A contestant computes another result, so its time can't be compared."""


@dataclass(frozen=True)
class Error:
    """The distance of float32 parameters from those of float64, after ten steps from standard normal numbers."""

    largest: float
    root_mean_square: float


def errors_of(values: Values, exact: Values) -> Error:
    distance = np.abs(values.astype(np.float64) - exact)
    return Error(float(distance.max()), float(np.sqrt(np.mean(distance**2))))


def check_agreement(values: Values, peer_values: Values, what: str, roundings: float = _ROUNDINGS) -> None:
    """Raise CheckFailed if two results differ by more than rounding errors, absolute and relative."""
    if not np.allclose(values, peer_values, rtol=roundings, atol=roundings):
        worst = float(np.max(np.abs(values - peer_values)))
        raise CheckFailed(f"{what}: results differ by up to {worst:.3g}")


def measure_errors(trial: Trial, peers: Sequence[str]) -> dict[str, Error]:
    """Every contestant's error on a sample of the case; all must agree with gradstep."""
    exact = _trajectory(trial, trial.exact, torch.float64)
    found = {name: _trajectory(trial, name, torch.float32) for name in (GRADSTEP, *peers)}
    for name in peers:
        check_agreement(found[GRADSTEP], found[name], f"{trial.rule}, gradstep against {name} after {_STEPS} steps")
    return {name: errors_of(values, exact) for name, values in found.items()}


def _trajectory(trial: Trial, contestant: str, dtype: torch.dtype) -> Values:
    random = torch.Generator().manual_seed(_SEED)
    params = [_normal(shape, random, dtype) for shape in trial.case.sample]
    with _scalars_in(dtype):
        entry = None
        for _ in range(_STEPS):
            for p in params:
                p.grad = _normal(p.shape, random, dtype)
            entry = entry or trial.enter(contestant, params)
            entry.call()
    assert entry
    return torch.cat([array.flatten() for array in entry.results()]).numpy()


def _normal(shape: Sequence[int], random: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(shape, generator=random, dtype=torch.float32).to(dtype)


@contextmanager
def _scalars_in(dtype: torch.dtype) -> Iterator[None]:
    """timm keeps some of its numbers in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
