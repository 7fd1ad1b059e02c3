import os

import pytest
import torch

from support.devices import DEVICES, device_named

FAILED = pytest.StashKey[bool]()
LOST = 3  #: how a process ends that has lost its device


@pytest.fixture(params=DEVICES)
def device(request):
    """Each device; where there is none of its kind, its tests are skipped."""
    return device_named(request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def _end_with_the_device(request):
    """After a bad access every further call of CUDA in the process fails: end it, and pytest-xdist starts another.

    What the test itself has to say was reported before this.
    """
    yield
    if not (request.node.stash.get(FAILED, False) and torch.cuda.is_initialized()):
        return
    try:
        torch.cuda.synchronize()
    except RuntimeError as error:
        if hasattr(request.config, "workerinput"):
            os._exit(LOST)
        request.session.shouldstop = f"the CUDA device is lost to this process: {error}"
