"""Schedules that reach an end, and what they do once it has passed."""

from typing import Annotated, Literal

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, one_of
from gradstep.schedules.landmarks import Landmark

EndAt = Annotated[Literal["steps", "last"], one_of("steps", "last")]
Past = Annotated[
    Literal["hold", "repeat", "mirror", "extrapolate", "error"],
    one_of("hold", "repeat", "mirror", "extrapolate", "error"),
]


class Ending(Schedule, abstract=True):
    """A schedule with an end, which is step `length`.

    past: the values after the end. "hold" (the default) stays at the last value; "repeat" starts over;
        "mirror" goes back to the first and forth again; "extrapolate" continues the formula; "error" has no
        value, so asking for one raises ValueError.
    """

    past: Past

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__(abstract)
        if cls.__doc__ and cls.__base__ and cls.__base__.__doc__:
            cls.__doc__ += "\n" + cls.__base__.__doc__.split("\n", 2)[2]

    @property
    def length(self) -> int:
        """The last step before the values that `past` names."""
        raise AttributeError(f"{type(self).__name__} says where its end is")

    @property
    def period(self) -> int:
        """The step at which "repeat" starts over."""
        return self.length

    def formula(self) -> list[Instruction]:
        """The program up to the end."""
        raise AttributeError(f"{type(self).__name__} says what its formula is")

    def landmarks(self) -> list[Landmark]:
        return [Landmark(self.length, f"end of {type(self).__name__}, then past={self.past!r}")]

    def code(self) -> list[Instruction]:
        if self.past == "extrapolate":
            return self.formula()
        clock = {
            "hold": ("hold", self.length),
            "repeat": ("repeat", self.period),
            "mirror": ("mirror", self.length),
            "error": ("limit", self.length),
        }
        name, number = clock[self.past]
        return [(name, [float(number)]), *self.formula(), ("back", [])]


class Finite(Ending, abstract=True):
    """A schedule of so many steps. Two keyword arguments say how it ends.

    end_at: the step at which `end` is reached: "steps" (the default) is t == steps, one after the last of
        `steps` updates; "last" is t == steps - 1, the last of them, and needs steps >= 2. Either way
        "repeat" starts over after every `steps` updates.
    """

    steps: Count
    end_at: EndAt

    def validate(self) -> None:
        if self.end_at == "last" and self.steps < 2:
            raise ValueError(
                f"steps is {self.steps}: with end_at='last' it must be 2 or more, one update for init and one for end"
            )

    @property
    def length(self) -> int:
        return self.steps - (self.end_at == "last")

    @property
    def period(self) -> int:
        return self.steps

    def formula(self) -> list[Instruction]:
        numbers = {name: getattr(self, name) for name in self.checks() if name not in ("k", "end_at", "past")}
        return [(self.operation, [float(each) for each in (numbers | {"steps": self.length}).values()])]


def bent(code: list[Instruction], steps: float, power: float) -> list[Instruction]:
    """The program with steps * (t / steps)**power for its t."""
    return [("bend", [float(steps), power]), *code, ("back", [])] if power != 1 else code
