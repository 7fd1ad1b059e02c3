"""The machine and the commit in a report."""

import shutil

import pytest

from gradstep_bench.environment import environment
from support.compiling import ROOT


def test_the_commit_where_git_knows_it(monkeypatch):
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("this is no copy of the repository, or git is not found")
    monkeypatch.chdir(ROOT)
    assert environment()["commit"]


def test_no_commit_where_there_is_no_git(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "commit" not in environment()
