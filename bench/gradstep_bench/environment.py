"""The environment of a measurement: hardware, libraries, commit."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import gradstep
from gradstep import _core

__all__ = ["environment"]


def environment() -> dict[str, str | int]:
    """The machine, the versions and the command.

    The commit is that of GRADSTEP_COMMIT, or else, where this is run in gradstep's repository, what git says.
    """
    return {
        "processor": _processor(),
        **_device(),
        "threads": gradstep.get_num_threads(),
        "target": _core.active_target(),
        "gradstep": _core.__version__,
        **_commit(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "command": shlex.join(["gradstep", *sys.argv[1:]]),
    }


def _device() -> dict[str, str]:
    return {"device": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> dict[str, str]:
    if told := os.environ.get("GRADSTEP_COMMIT"):
        return {"commit": told}
    if not Path("bench/gradstep_bench").is_dir():
        return {}
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # there is no git
        return {}
    return {"commit": found.stdout.strip()} if found.returncode == 0 else {}
