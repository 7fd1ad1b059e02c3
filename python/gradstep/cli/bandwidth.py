"""How fast this machine's memory is for a loop that reads, changes and writes back."""

from __future__ import annotations

import statistics
from time import perf_counter

import numpy as np

from gradstep import _core
from gradstep.interop.threads import get_num_threads

__all__ = ["memory_bandwidth"]


def memory_bandwidth(megabytes: int = 256, repeats: int = 7) -> float:
    """The bytes read and written per second by a plain read-modify-write loop, in GB/s (1e9 bytes).

    This is what an optimizer's step can reach at most where its arrays do not fit the caches.

    Args:
        megabytes: memory to visit, spread over four arrays; several times the last cache.
        repeats: the median of so many visits counts.

    >>> from gradstep.cli.bandwidth import memory_bandwidth
    >>> memory_bandwidth(megabytes=1, repeats=1) > 0
    True
    """
    arrays = [np.ones(megabytes * 1_000_000 // 16, dtype=np.float32) for _ in range(4)]
    loop, threads = _core.ReadModifyWrite([(arrays, [])]), get_num_threads()
    seconds = []
    for _ in range(repeats):
        start = perf_counter()
        loop.run(threads)
        seconds.append(perf_counter() - start)
    return 2 * sum(array.nbytes for array in arrays) / statistics.median(seconds) / 1e9
