"""A value: its arguments are checked once and never change; it is compared, printed and stored by them."""

import dataclasses
import functools
import hashlib
import json
from typing import Any, ClassVar, get_type_hints


class Value:
    """What a schedule is apart from what it computes."""

    classes: ClassVar[dict[str, type["Value"]]] = {}
    """Every kind of schedule, by the name that stands in JSON."""

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract:
            Value.classes[cls.__name__] = cls

    @classmethod
    @functools.cache
    def checks(cls) -> dict[str, Any]:
        """The check of each argument, from its annotation."""
        hints = get_type_hints(cls, include_extras=True)
        return {each.name: hints[each.name].__metadata__[0] for each in dataclasses.fields(cls)}  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for name, check in self.checks().items():
            object.__setattr__(self, name, check(spelled(name), getattr(self, name)))
        self.validate()

    def validate(self) -> None:
        """Checks the arguments against one another."""

    def arguments(self) -> dict[str, Any]:
        """The arguments that differ from their defaults, by name."""
        defaults = {each.name: each.default for each in dataclasses.fields(self)}  # type: ignore[arg-type]
        values = ((name, getattr(self, name)) for name in self.checks())
        return {spelled(name): value for name, value in values if value != defaults[name]}

    def to_json(self) -> str:
        """This schedule as JSON text; ``from_json`` gives it back. Arguments at their defaults are left out.

        >>> from gradstep import Linear
        >>> Linear(0.1, 0.0, 100).to_json()
        '{"schedule":"Linear","init":0.1,"end":0.0,"steps":100}'
        """
        return json.dumps(self, default=plain, separators=(",", ":"))

    @functools.cached_property
    def _identity(self) -> tuple[str, int]:
        text = self.to_json()
        return text, int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")

    def __eq__(self, other: object) -> bool:
        return self._identity == other._identity if isinstance(other, Value) else NotImplemented

    def __hash__(self) -> int:
        return self._identity[1]

    def __reduce__(self) -> Any:
        from gradstep.schedules.serial import from_json

        return from_json, (self.to_json(),)

    def __repr__(self) -> str:
        given = (f"{name}={shown(value)}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({', '.join(given)})"


def spelled(field: str) -> str:
    """The argument of a field. A field whose name is also a method's has an underscore after it."""
    return field.rstrip("_")


def plain(value: Any) -> dict[str, Any]:
    if isinstance(value, Value):
        return {"schedule": type(value).__name__, **value.arguments()}
    raise TypeError(f"{value!r} has no place in a schedule's JSON")


def shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)
