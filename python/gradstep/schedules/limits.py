"""Limits on schedules and their texts, so that neither an argument nor a file can exhaust the memory."""

from dataclasses import dataclass
from typing import Any


@dataclass
class Limits:
    """The largest schedules and texts that are accepted.

    A limit can be raised: ``gradstep.schedules.limits.numbers = 10**8``.

    Args:
        numbers: the numbers in a schedule and its parts: values, points and boundaries, the steps of ``smooth`` and
            ``tied``, and one for each part. Making a schedule takes some 100 bytes for each.
        depth: the nesting of parts. Python's own recursion limit is not far above the default.
        json: the characters of a text for ``from_json``; reading takes some 20 bytes for each.
        expression: the characters of a text for ``from_expression``; reading takes up to 500 bytes for each.
        described: the updates that ``describe`` evaluates, some 50 bytes for each.
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
            raise ValueError(f"limits.{name} is {value!r}: it must be a whole number, 1 or more")
        super().__setattr__(name, value)

    def check(self, name: str, size: int, what: str) -> None:
        """Raise ValueError if the size exceeds the limit of that name."""
        if size > (limit := getattr(self, name)):
            raise ValueError(f"{what}, and the limit is {limit}: to allow more, set gradstep.schedules.limits.{name}")


limits = Limits()
