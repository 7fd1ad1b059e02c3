import os

import pytest

import gradstep
from gradstep import _core

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported


def pytest_report_header():
    offered = ", ".join(_core.targets())
    return f"gradstep target: {_core.active_target()} of {offered}; threads: {gradstep.get_num_threads()}"


def pytest_sessionstart():
    forced = os.environ.get("GRADSTEP_TARGET")
    if forced and _core.active_target() != forced:
        raise pytest.UsageError(f"GRADSTEP_TARGET={forced}, but {_core.active_target()} is active")


@pytest.fixture(autouse=True)
def _default_threads():
    yield
    gradstep.set_num_threads(None)
