"""The steps of a schedule at which something happens."""

from typing import NamedTuple


class Landmark(NamedTuple):
    t: int
    what: str
    joint: bool = False
    """Whether one part follows another here, so that their values should meet."""

    def moved(self, t: int) -> "Landmark":
        return self._replace(t=t)


def within(marks: list[Landmark], begin: int, end: float) -> list[Landmark]:
    """The landmarks of a part that starts at `begin` and is used until `end`, at the steps of the whole."""
    moved = (mark.moved(begin + mark.t) for mark in marks)
    return [mark for mark in moved if begin <= mark.t < end]
