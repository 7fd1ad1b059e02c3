"""The changes that a step makes to Python's objects, in addition to the arrays.

The core writes them together with the update, where no signal can come in between, so that an exception leaves either a
complete update or none.
"""

from __future__ import annotations

from typing import NamedTuple

from gradstep import _core

__all__ = ["Bookkeeping"]


class Bookkeeping(NamedTuple):
    """The entries ``(target, key, value)`` to write if the step makes an update, and if it skips it."""

    updated: list[_core.Entry]
    skipped: list[_core.Entry]
