"""One allocation of the core fails in a step, each in turn: none of the update is made, or all of it."""

import gc

import pytest
from test_whole_steps import SUBJECTS, Subject

from gradstep import _core
from support.devices import device_named
from support.injecting import frozen

_testcapi = pytest.importorskip("_testcapi")  # some systems have it in a separate package

ENOUGH = 25  #: successive steps in which no allocation fails: all have been tried


class Scarce:
    """A plan in whose step one of Python's allocations fails."""

    failing: int | None = None

    def step(self, *arguments, updated=None, before=None):
        step = super().step
        given = arguments if updated is None else (*arguments, [], updated, [], before)  # pybind11 crashes on names
        if Scarce.failing is None:
            return step(*given)
        _testcapi.set_nomemory(Scarce.failing, Scarce.failing + 1)
        try:
            return step(*given)
        finally:
            _testcapi.remove_mem_hooks()


class ScarcePlan(Scarce, _core.Plan):
    pass


class ScarceDevicePlan(Scarce, _core.DevicePlan):
    pass


@pytest.fixture(autouse=True)
def _scarce(monkeypatch):
    monkeypatch.setattr(_core, "Plan", ScarcePlan)
    monkeypatch.setattr(_core, "DevicePlan", ScarceDevicePlan)
    yield
    Scarce.failing = None


@pytest.mark.filterwarnings("ignore:.*takes over from its schedule")
@pytest.mark.parametrize("name", [name for name in SUBJECTS if name != "end of a schedule"])
def test_an_allocation_that_fails(name):
    before = look(done := SUBJECTS[name]())
    done.step()
    after = look(done)
    failing, missed, in_a_row = 0, 0, 0
    while in_a_row < ENOUGH:
        subject = SUBJECTS[name]()
        gc.disable()
        Scarce.failing = failing
        try:
            subject.step()
            in_a_row += 1
        except (MemoryError, SystemError, RuntimeError, ValueError):  # torch raises other errors for its allocations
            missed, in_a_row = missed + 1, 0
        finally:
            Scarce.failing = None
            gc.enable()
        found = look(subject)
        assert found in (before, after), f"half of it was done after allocation {failing} failed"
        if found == before:
            subject.step()
            assert look(subject) == after, f"it can't be done any more after allocation {failing} failed"
        failing += 1
    assert missed


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name.startswith("torch")])
def test_an_allocation_that_fails_on_a_device(name):
    with device_named("emulated").stepping():
        test_an_allocation_that_fails(name)


def look(subject: Subject):
    """All that can be seen but torch's version counters: an increment of them that fails can't be taken back."""
    seen = subject.look()
    if subject.over_torch:
        seen[-1] = [p.grad for p in subject.parameters]
    return frozen(seen)
