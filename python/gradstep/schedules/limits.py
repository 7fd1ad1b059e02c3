"""How large a schedule and its text may be, so that neither an argument nor a file takes all the memory."""

from dataclasses import dataclass
from typing import Any


@dataclass
class Limits:
    """What is refused beyond these numbers.

    Raise one that is in the way: ``gradstep.schedules.limits.numbers = 10**8``.

    numbers: what a schedule with all its parts may hold: its values, points and boundaries, the steps over which
        ``smooth`` and ``tied`` run, and one for each part. A number takes some 100 bytes while a schedule is made.
    depth: how many parts may be nested in one another. Python's own limit of recursion is not far above the default.
    json: the characters of a text for ``from_json``, each some 20 bytes while it is read.
    expression: the characters of a text for ``from_expression``, each up to 500 bytes while it is read.
    described: the updates that ``describe`` evaluates and searches, each some 50 bytes while it does.
    """

    numbers: int = 2**20
    depth: int = 200
    json: int = 2**25
    expression: int = 2**18
    described: int = 2**24

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).__annotations__:
            raise AttributeError(f"there is no limit {name!r}: there are {', '.join(type(self).__annotations__)}")
        if type(value) is not int or value < 1:
            raise ValueError(f"limits.{name} is {value!r}: it must be a whole number from 1 on")
        super().__setattr__(name, value)

    def check(self, name: str, size: int, what: str) -> None:
        """Raise ValueError for what is larger than the limit of that name."""
        if size > (limit := getattr(self, name)):
            raise ValueError(f"{what}, and the limit is {limit}: to allow more, set gradstep.schedules.limits.{name}")


limits = Limits()
