"""A contestant's turn where its work is a CUDA device's: by the device's own events, or of the host alone."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from gradstep.bench.timing import Turn

__all__ = ["turn_on_device", "turn_on_host"]

Step = Callable[[], object]


def turn_on_device(step: Step) -> Turn:
    """Seconds of the device, between an event before and one after; calls that need nothing before come in one run."""
    prepare = getattr(step, "prepare", None)

    def turn(repeats: int) -> float:
        if prepare is None:
            return _between_events(step, repeats) / repeats
        seconds = 0.0
        for _ in range(repeats):
            prepare()
            seconds += _between_events(step, 1)
        return seconds / repeats

    return turn


def turn_on_host(step: Step) -> Turn:
    """Seconds until the host can go on, with nothing waiting on the device before."""
    prepare = getattr(step, "prepare", None)

    def turn(repeats: int) -> float:
        seconds = 0.0
        for _ in range(repeats):
            if prepare is not None:
                prepare()
            torch.cuda.synchronize()
            start = perf_counter()
            step()
            seconds += perf_counter() - start
        return seconds / repeats

    return turn


def _between_events(step: Step, repeats: int) -> float:
    event: Any = torch.cuda.Event
    start, end = event(enable_timing=True), event(enable_timing=True)
    start.record()
    for _ in range(repeats):
        step()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) * 1e-3
