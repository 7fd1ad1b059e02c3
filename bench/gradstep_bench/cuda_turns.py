"""Timing of a contestant on a CUDA device, by the device's events, or of the host's part alone."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from gradstep_bench.timing import Turn

__all__ = ["DeviceTurn", "turn_on_host"]

Step = Callable[[], object]

_BATCH = 16  # calls between two events: their launches must fit in the device's queue of about a thousand
_PAUSE, _LONGEST_PAUSE = 1 << 20, 1 << 26  # cycles of the device's clock: about 0.5 ms, 30 ms


class DeviceTurn:
    """The device's seconds for a call, between an event before and one after.

    The device pauses before the first event until the host has launched everything; otherwise the host's latency would
    count as the device's time. A contestant that waits for the device in its call includes that latency: ``waits``.
    """

    def __init__(self, step: Step) -> None:
        self.host_seconds: list[float] = []  #: for a call, until the host can go on
        self.waits = False
        self._step = step
        self._prepare = getattr(step, "prepare", None)
        self._pause = _PAUSE
        self._batch = _BATCH if self._prepare is None else 1

    def __call__(self, repeats: int) -> float:
        seconds, left = 0.0, repeats
        while left:
            count = min(self._batch, left)
            found, ahead = self._between_events(count)
            if ahead or self.waits:
                seconds, left = seconds + found, left - count
            else:
                self._give_more_time_to(count)
        return seconds / repeats

    def _give_more_time_to(self, count: int) -> None:
        """The host was not ahead of the device after so many calls."""
        if self._pause < _LONGEST_PAUSE:
            self._pause *= 2
        elif count > 1:
            self._batch = count // 2
        else:
            self.waits = True

    def _between_events(self, count: int) -> tuple[float, bool]:
        """The device's seconds, and whether the host was always ahead of it."""
        event: Any = torch.cuda.Event
        sleep: Any = torch.cuda._sleep
        start, end = event(enable_timing=True), event(enable_timing=True)
        if self._prepare is not None:
            self._prepare()
        if not self.waits:
            sleep(self._pause)
        start.record()
        began = perf_counter()
        for _ in range(count):
            self._step()
        self.host_seconds.append((perf_counter() - began) / count)
        end.record()
        ahead = not start.query()
        end.synchronize()
        return float(start.elapsed_time(end)) * 1e-3, ahead


def turn_on_host(step: Step) -> Turn:
    """Seconds until a call returns to the host, with an idle device before it."""
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
