"""Programs of a process each, which step in several threads or fork: a hang or a crash is their own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

#: what every program starts with: a step large enough for several threads, and its result
PRELUDE = """
    import os, sys, threading
    import numpy as np
    import gradstep
    SIZE = 40 * 4096 + 17
    def make(seed=0):
        p = np.random.default_rng(seed).standard_normal(SIZE)
        return p, gradstep.Adam([p], lr=0.1, weight_decay=0.05)
    def steps(optimizer, count=5):
        for t in range(count):
            optimizer.step([np.random.default_rng(100 + t).standard_normal(SIZE)])
    def digest(p):
        return hash(p.tobytes())
    def result(seed=0, count=5):
        p, optimizer = make(seed)
        steps(optimizer, count)
        return digest(p)
    def wait(child):
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0, status
    gradstep.set_num_threads(3)
    expected = result()
"""


USE_TORCH = """
    import torch
    torch.set_num_threads(3)
    torch.ones(1 << 20).add_(1).sum()
    a = torch.ones(300, 300) @ torch.ones(300, 300)
"""


def run(*parts):
    program = "\n".join(textwrap.dedent(part) for part in (PRELUDE, *parts))
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,  # a deadlock, not a slow machine: each takes about a second
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
