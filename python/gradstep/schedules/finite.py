"""Schedules with an end, and their values after it."""

from typing import Annotated, Literal

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, one_of
from gradstep.schedules.landmarks import Landmark

EndAt = Annotated[Literal["steps", "last"], one_of("steps", "last")]
Past = Annotated[
    Literal["hold", "repeat", "mirror", "extrapolate", "error"],
    one_of("hold", "repeat", "mirror", "extrapolate", "error"),
]


def with_arguments(text: str, of: str) -> str:
    """A docstring whose list of arguments goes on with that of another one."""
    before, title, rest = text.partition("Args:\n")
    own, blank, after = rest.partition("\n\n")
    inherited = of.partition("Args:\n")[2].partition("\n\n")[0].rstrip()
    return f"{before}{title}{own.rstrip()}\n{inherited}{blank}{after}" if title else text


class Ending(Schedule, abstract=True):
    """A schedule with an end, which is step `length`.

    Args:
        past: the values after the end. "hold" (the default) stays at the last value; "repeat" starts over; "mirror"
            runs back to the first value and forth again; "extrapolate" continues the formula; "error" raises
            ValueError.
    """

    past: Past

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__(abstract)
        if cls.__doc__ and cls.__base__ and cls.__base__.__doc__:
            cls.__doc__ = with_arguments(cls.__doc__, of=cls.__base__.__doc__)

    @property
    def length(self) -> int:
        """The last step before the values that `past` chooses."""
        raise NotImplementedError(f"{type(self).__name__} defines its length")

    @property
    def period(self) -> int:
        """The step at which "repeat" starts over."""
        return self.length

    def formula(self) -> list[Instruction]:
        """The program up to the end."""
        raise NotImplementedError(f"{type(self).__name__} defines its formula")

    def landmarks(self) -> list[Landmark]:
        return [Landmark(self.length, f"end of {type(self).__name__}, then past={self.past!r}")]

    def code(self) -> list[Instruction]:
        if self.past == "extrapolate":
            return self.formula()
        step_map = {
            "hold": ("hold", self.length),
            "repeat": ("repeat", self.period),
            "mirror": ("mirror", self.length),
            "error": ("limit", self.length),
        }
        name, number = step_map[self.past]
        return [(name, [float(number)]), *self.formula(), ("back", [])]


class Finite(Ending, abstract=True):
    """A schedule of `steps` steps. Two keyword arguments say how it ends.

    Args:
        end_at: the step at which `end` is reached: "steps" (the default) is t == steps, one after the last of `steps`
            updates; "last" is t == steps - 1, the last of them, and needs steps >= 2. Either way "repeat" starts over
            after every `steps` updates.
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
    """The program, evaluated at steps * (t / steps)**power instead of t."""
    return [("bend", [float(steps), power]), *code, ("back", [])] if power != 1 else code
