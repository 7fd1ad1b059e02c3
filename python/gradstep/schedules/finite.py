"""Schedules that reach an end, and what they do once it has passed."""

from typing import Annotated, Literal

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, one_of

EndAt = Annotated[Literal["steps", "last"], one_of("steps", "last")]
Past = Annotated[
    Literal["hold", "repeat", "mirror", "extrapolate", "error"],
    one_of("hold", "repeat", "mirror", "extrapolate", "error"),
]


class Finite(Schedule, abstract=True):
    """A schedule that goes from `init` to `end`. Two keyword arguments say how it ends.

    end_at: the step at which `end` is reached: "steps" (the default) is t == steps, one after the last of
        `steps` updates; "last" is t == steps - 1, the last of them, and needs steps >= 2.
    past: the values after that step. "hold" (the default) stays at `end`; "repeat" starts over after every
        `steps` updates; "mirror" goes back to `init` and forth again; "extrapolate" continues the formula;
        "error" has no value, so asking for one raises ValueError.
    """

    steps: Count
    end_at: EndAt
    past: Past

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__doc__ and Finite.__doc__:
            cls.__doc__ += "\n" + Finite.__doc__.split("\n", 2)[2]

    def validate(self) -> None:
        if self.end_at == "last" and self.steps < 2:
            raise ValueError(
                f"steps is {self.steps}: with end_at='last' it must be 2 or more, one update for init and one for end"
            )

    @property
    def length(self) -> int:
        """The step at which `end` is reached."""
        return self.steps - (self.end_at == "last")

    def formula(self) -> Instruction:
        numbers = {name: getattr(self, name) for name in self.checks() if name not in ("end_at", "past")}
        return self.operation, [float(each) for each in (numbers | {"steps": self.length}).values()]

    def code(self) -> list[Instruction]:
        if self.past == "extrapolate":
            return [self.formula()]
        clock = {
            "hold": ("hold", self.length),
            "repeat": ("repeat", self.steps),
            "mirror": ("mirror", self.length),
            "error": ("limit", self.length),
        }
        name, number = clock[self.past]
        return [(name, [float(number)]), self.formula(), ("back", [])]
