"""What a step changes in Python's objects, beside the arrays.

The core writes it together with the update, where no signal can come between, so that whoever catches an exception
finds either all of an update or nothing of it.
"""

from __future__ import annotations

from typing import NamedTuple

from gradstep import _core

__all__ = ["Books"]


class Books(NamedTuple):
    """The entries ``(target, key, value)`` of a step that makes an update, and of one that skips it."""

    updated: list[_core.Entry]
    skipped: list[_core.Entry]
