import os
from pathlib import Path

import pytest

import gradstep
from gradstep import _core

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported


TESTS = Path(__file__).parent
#: folders whose tests reach the core's loops: they run under every CPU target, all others once
EVERY_TARGET = {"arrays", "fuzz", "rules", "schedules", "step"}


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.path.relative_to(TESTS).parts[0] not in EVERY_TARGET:
            item.add_marker("once")


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
