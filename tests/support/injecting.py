"""One exception at each line of the library that a call executes, to see whether the call is all or nothing.

An interrupt, a full memory or a user's callback can raise anywhere. Afterwards the state must be, to the bit, either
that before the call or that after it.
"""

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import gradstep
from support.arrays import bits, to_numpy

LIBRARY = str(Path(gradstep.__file__).parent)


class Place(NamedTuple):
    """A line, and how many times it had been executed before."""

    file: str
    line: int
    repeat: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} (time {self.repeat + 1})"


class Interrupted(NamedTuple):
    """The state after a call in which an exception was raised."""

    place: Place
    subject: Any
    raised: BaseException | None  #: the exception that the call raised


def each_line(
    make: Callable[[], Any],
    call: Callable[[Any], Any],
    exception: type[BaseException] = KeyboardInterrupt,
    folders: tuple[str, ...] = (LIBRARY,),
    repeats: int = 2,
) -> Iterator[Interrupted]:
    """Make a subject and call it, anew for each line that is executed, with an exception there.

    Args:
        make: returns a subject that has seen no exception yet; two of them must execute the same lines.
        call: is given the subject.
        exception: is raised in the place of the line, once; what cleans up after it is not disturbed.
        folders: whose files' lines are meant.
        repeats: how many times a line is tried that is executed again and again.
    """
    call(make())  # reads and compiles everything that is cached
    for place in executed(make(), call, folders):
        if place.repeat < repeats:
            yield interrupted(make(), call, place, exception, folders)


def executed(subject: Any, call: Callable[[Any], Any], folders: tuple[str, ...] = (LIBRARY,)) -> list[Place]:
    """The lines that a call executes, in their order; the call is made."""
    places: list[Place] = []
    _traced(call, subject, folders, lambda place: places.append(place))
    assert places, "no line of the library was executed"
    return places


def interrupted(
    subject: Any,
    call: Callable[[Any], Any],
    place: Place,
    exception: type[BaseException] = KeyboardInterrupt,
    folders: tuple[str, ...] = (LIBRARY,),
) -> Interrupted:
    """Call the subject, with an exception at that place."""
    reached, raised = [], None

    def raise_there(found: Place) -> None:
        if found == place:
            reached.append(found)
            raise exception(f"injected at {place}")

    try:
        _traced(call, subject, folders, raise_there)
    except BaseException as error:
        raised = error
    assert reached, f"{place} was not executed again: {raised!r}"
    return Interrupted(place, subject, raised)


def assert_all_or_nothing(
    make: Callable[[], Any], call: Callable[[Any], Any], look: Callable[[Any], Any], **options: Any
) -> None:
    """Raise AssertionError if an exception leaves a state that ``look`` sees neither before nor after the call.

    After an exception that left everything as it was the call must still do its work.
    """
    before = frozen(look(make()))
    done = make()
    call(done)
    after = frozen(look(done))
    assert before != after, "the call changes nothing that could be seen"
    for place, subject, raised in each_line(make, call, **options):
        found = frozen(look(subject))
        assert found in (before, after), f"half of it was done after {raised!r} at {place}"
        if found == before:
            call(subject)
            assert frozen(look(subject)) == after, f"it can't be done any more after {raised!r} at {place}"


def frozen(value: Any) -> Any:
    """The value in a form that can be compared, arrays by their bits."""
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [frozen(each) for each in value]
    if hasattr(value, "untyped_storage"):
        value = to_numpy(value.detach().cpu().to_dense())
    if isinstance(value, np.ndarray):
        exact = value if value.dtype.kind in "biu" else bits(np.atleast_1d(value))
        return value.dtype.name, value.shape, exact.tobytes()
    return value


def _traced(call: Callable[[Any], Any], subject: Any, folders: tuple[str, ...], see: Callable[[Place], None]) -> None:
    times: Counter[tuple[str, int]] = Counter()

    def on_line(frame: Any, event: str, _: Any) -> Any:
        if event == "line":
            where = (frame.f_code.co_filename, frame.f_lineno)
            times[where] += 1
            see(Place(*where, times[where] - 1))
        return on_line

    def on_call(frame: Any, _event: str, _: Any) -> Any:
        return on_line if frame.f_code.co_filename.startswith(folders) else None

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # it may run the library's finalizers of earlier objects
    sys.settrace(on_call)
    try:
        call(subject)
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
