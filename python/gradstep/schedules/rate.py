"""The type of a learning rate, for annotations of programs that hand one on."""

from typing import SupportsFloat, TypeAlias

from gradstep.schedules.base import Schedule

__all__ = ["Rate"]

#: the type of every number of an optimizer: a float or an int, a 0-d array or tensor of any library (all of which
#: ``SupportsFloat`` holds), or a schedule
Rate: TypeAlias = SupportsFloat | Schedule
