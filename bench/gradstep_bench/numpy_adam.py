"""Adam in carefully optimised NumPy: the peers for gradstep over NumPy arrays."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import numpy.typing as npt

import gradstep
from gradstep import _core
from gradstep_bench.accuracy import check_agreement, errors_of
from gradstep_bench.results import Result, Subject, summarize
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.timing import YARDSTICK, Pace, Race, run_race

__all__ = ["BLOCK", "BLOCKED", "OUT_BUFFERS", "NumpyAdam", "measure_numpy"]

Array = npt.NDArray[np.floating]

OUT_BUFFERS, BLOCKED = "NumPy out=", "NumPy blocked"

#: elements; five float32 arrays of so many are 2.6 MB. Of 4,096 to 262,144 the fastest by more than noise: smaller
#: blocks stay in L2 but pay for more calls
BLOCK = 131_072

_LEARNING_RATE, _BETA1, _BETA2, _EPS = 1e-3, 0.9, 0.999, 1e-8


class NumpyAdam:
    """Adam over one array, with no allocations in a step and as few passes as NumPy's operations allow.

    The bias corrections are folded into the rate and eps, which saves two passes. With ``block`` all passes are made
    over one block after the other, so that memory is crossed once.
    """

    def __init__(self, parameter: Array, block: int | None = None) -> None:
        flat = parameter.reshape(-1)
        self.parameter, self.m, self.v = flat, np.zeros_like(flat), np.zeros_like(flat)
        self._length = block or max(1, flat.size)
        self._buffer = np.empty(min(self._length, flat.size), flat.dtype)
        self._t = 0

    def step(self, gradient: Array) -> None:
        """Update the parameter in place."""
        self._t += 1
        root = math.sqrt(1 - _BETA2**self._t)
        rate, eps = _LEARNING_RATE * root / (1 - _BETA1**self._t), _EPS * root
        g = gradient.reshape(-1)
        for first in range(0, g.size, self._length):
            part = slice(first, first + self._length)
            self._update(part, g[part], rate, eps)

    def _update(self, part: slice, g: Array, rate: float, eps: float) -> None:
        p, m, v, out = self.parameter[part], self.m[part], self.v[part], self._buffer[: g.size]
        np.multiply(m, _BETA1, out=m)
        np.multiply(g, 1 - _BETA1, out=out)
        np.add(m, out, out=m)
        np.multiply(v, _BETA2, out=v)
        np.multiply(g, math.sqrt(1 - _BETA2), out=out)
        np.square(out, out=out)
        np.add(v, out, out=v)
        np.sqrt(v, out=out)
        np.add(out, eps, out=out)
        np.divide(m, out, out=out)
        np.multiply(out, rate, out=out)
        np.subtract(p, out, out=p)


def measure_numpy(elements: int, pace: Pace) -> list[Result]:
    """Check and time gradstep against both NumPy versions, all in one race."""
    start = np.random.default_rng(1).standard_normal(elements, dtype=np.float32)
    gradient = np.random.default_rng(2).standard_normal(elements, dtype=np.float32)
    exact = start[:1000].astype(np.float64)
    reference = NumpyAdam(exact)
    ours = start.copy()
    optimizer = gradstep.Adam([ours], lr=_LEARNING_RATE, betas=(_BETA1, _BETA2), eps=_EPS)
    peers = {OUT_BUFFERS: NumpyAdam(start.copy()), BLOCKED: NumpyAdam(start, BLOCK)}
    for _ in range(10):
        reference.step(gradient[:1000].astype(np.float64))
        optimizer.step([gradient])
        for peer in peers.values():
            peer.step(gradient)
    results = {GRADSTEP: ours, **{name: peer.parameter for name, peer in peers.items()}}
    for name, values in results.items():
        check_agreement(ours, values, f"numpy adam, gradstep against {name} after 10 steps")
    errors = {name: errors_of(values[:1000], exact) for name, values in results.items()}
    race = _race(optimizer, ours, peers, gradient, pace)
    return summarize(Subject("numpy", "adam", elements, 28 * elements), [race], errors)


def _race(optimizer: gradstep.Adam, ours: Array, peers: dict[str, NumpyAdam], gradient: Array, pace: Pace) -> Race:
    state = optimizer.state[0]
    moved = [([ours, state["exp_avg"], state["exp_avg_sq"]], [gradient])]
    contestants = {GRADSTEP: partial(optimizer.step, [gradient])}
    contestants |= {name: partial(peer.step, gradient) for name, peer in peers.items()}
    contestants[YARDSTICK] = partial(_core.ReadModifyWrite(moved).run, gradstep.get_num_threads())
    return run_race(contestants, pace)
