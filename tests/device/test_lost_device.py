"""A process whose CUDA device is lost ends after the test that lost it: the tests after it run in another."""

import os
import re
import subprocess
import sys

import pytest

from support.compiling import ROOT

#: simulates a device that the first test loses
PLUGIN = """
import torch

lost = False
torch.cuda.is_initialized = lambda: True

def synchronize():
    if lost:
        raise RuntimeError("an illegal memory access was encountered")

torch.cuda.synchronize = synchronize
"""

TESTS = """
import os
import plugin

def note(name):
    with open("processes", "a") as file:
        print(name, os.getpid(), file=file)

def test_before():
    note("before")

def test_wrong_but_not_lost():
    note("wrong")
    assert 2 == 3

def test_lost():
    note("lost")
    plugin.lost = True
    assert 4 == 5

def test_after():
    note("after")
    assert not plugin.lost
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "test_there.py").write_text(TESTS)

    def run(*options):
        paths = [tmp_path, ROOT / "tests", *filter(None, [os.environ.get("PYTHONPATH")])]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-rf", "-p", "plugin", "-p", "device.conftest", *options, "test_there.py"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "COLUMNS": "160"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        noted = [line.split() for line in (tmp_path / "processes").read_text().splitlines()]
        return ended, dict(noted)

    return run


def test_another_worker_takes_its_place(run):
    pytest.importorskip("xdist")
    ended, processes = run("-n", "1", "--max-worker-restart", "2")
    assert processes["before"] == processes["wrong"] == processes["lost"] != processes["after"]
    assert "assert 2 == 3" in ended.stdout
    assert "assert 4 == 5" in ended.stdout
    assert "replacing crashed worker" in ended.stdout
    assert re.search(r"[23] failed, 2 passed", ended.stdout)


def test_without_workers_nothing_more_runs(run):
    ended, processes = run("-p", "no:xdist")
    assert ended.returncode
    assert "after" not in processes
    assert "assert 4 == 5" in ended.stdout
    assert "the CUDA device is lost to this process: an illegal memory access" in ended.stdout
