import os
from pathlib import Path

import pytest

import gradstep
from gradstep import _core

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported


TESTS = Path(__file__).parent
#: folders whose tests reach the core's loops: they run under every CPU target, all others once
EVERY_TARGET = {"arrays", "fuzz", "rules", "schedules", "step"}
#: of a grid that is not tried exhaustively, one item in so many is, and each value of each parameter at least once
THINNING = 5


def pytest_addoption(parser):
    parser.addoption("--exhaustive", action="store_true", help="try the whole of each grid, as .ci/run does")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.path.relative_to(TESTS).parts[0] not in EVERY_TARGET:
            item.add_marker("once")
    if not config.getoption("exhaustive"):
        kept = thinned(items)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


def thinned(items):
    """The items without those of grids that a diagonal through the grid can do without."""
    numbers = {}  # by function and parameter, each value's place in the order in which they come

    def is_kept(item):
        known, places = True, []
        for name, value in item.callspec.params.items():
            values = numbers.setdefault((item.function, name), {})
            known &= repr(value) in values
            places.append(values.setdefault(repr(value), len(values)))
        return not known or sum(places) % THINNING == 0

    return {item: None for item in items if not item.get_closest_marker("grid") or is_kept(item)}


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
