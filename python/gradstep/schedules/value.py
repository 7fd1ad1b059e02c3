"""Immutable values: arguments are checked once, and define comparison, printing and storage."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar, cast, get_type_hints, overload

from gradstep.schedules.limits import limits

T = TypeVar("T")

_LIBRARY = f"{__name__.partition('.')[0]}."


class computed_once(Generic[T]):
    """A property of a value that is computed when it is first read.

    ``functools.cached_property`` can't be used, because it stores into ``__dict__``; see ``Value.__dict__``.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "computed_once[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        value = self._compute(instance)
        object.__setattr__(instance, self._name, value)  # found before this descriptor from now on
        return value


class Value:
    """A schedule without its formula."""

    classes: ClassVar[dict[str, type["Value"]]] = {}
    """Every class of schedule, by its name in JSON."""

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract:
            Value.classes[cls.__name__] = cls

    @classmethod
    @functools.cache
    def checks(cls) -> dict[str, Any]:
        """The check of each argument, from its annotation."""
        hints = get_type_hints(cls, include_extras=True)
        return {each.name: hints[each.name].__metadata__[0] for each in dataclasses.fields(cls)}  # type: ignore[arg-type]

    offered: ClassVar[tuple[str, ...]] = ("to_json",)
    """The methods for users."""

    size: int
    """The count of its numbers and parts, all together."""
    depth: int
    """The depth of its nesting: 1 without parts."""

    def __post_init__(self) -> None:
        for name, check in self.checks().items():
            object.__setattr__(self, name, check(spelled(name), getattr(self, name)))
        self._set_size()
        self.validate()

    def _set_size(self) -> None:
        parts = self.parts()
        size = 1 + self.numbers() + sum(each.size for each in parts)
        depth = 1 + max((each.depth for each in parts), default=0)
        name = type(self).__name__
        limits.check("numbers", size, f"{name} would hold {size} numbers and parts")
        limits.check("depth", depth, f"{name} would be nested {depth} deep")
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "depth", depth)

    def parts(self) -> list["Value"]:
        """The values among its arguments."""
        arguments = [getattr(self, name) for name in self.checks()]
        listed = [each for given in arguments if isinstance(given, tuple) for each in given]
        return [each for each in (*arguments, *listed) if isinstance(each, Value)]

    def numbers(self) -> int:
        """The count of the numbers in its lists, or in the table that it makes for its program."""
        lists = [given for name in self.checks() if isinstance(given := getattr(self, name), tuple)]
        return sum(len(each) if isinstance(each, tuple) else 1 for given in lists for each in given)

    def validate(self) -> None:
        """Check the arguments against one another."""

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

    @computed_once
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

    @property
    def __dict__(self) -> "SavedArguments":  # type: ignore[override]
        """The arguments as plain data, by which torch's schedulers (LambdaLR, CyclicLR) save and load a callable."""
        return SavedArguments(self)

    def __dir__(self) -> list[str]:
        """The arguments and what a user calls, without what only the library does; of a user's class also its own."""
        shown = {*self.checks(), *self.offered, *_users_own(type(self))}
        return sorted({*(name for name in dir(type(self)) if name.startswith("__")), *shown})

    def __repr__(self) -> str:
        given = (f"{name}={shown(value)}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({', '.join(given)})"


def _users_own(cls: type) -> set[str]:
    """The public names of a class that no class of the library has."""
    of_library: set[str] = set()
    of_users: set[str] = set()
    for each in cls.__mro__:
        (of_library if each.__module__.startswith(_LIBRARY) else of_users).update(vars(each))
    return {name for name in of_users - of_library if not name.startswith("_")}


def show_plain_types(cls: type[Value]) -> None:
    """Let the arguments of a class have the types by which one calls it, in ``help`` and ``inspect.signature``."""
    hints = get_type_hints(cls)
    annotations = cast(Any, cls).__init__.__annotations__
    annotations.update({name: hints[name] for name in annotations if name in hints})


class SavedArguments(dict[str, Any]):
    """A value's arguments as plain data. torch's schedulers load by ``update``; the value never changes."""

    def __init__(self, value: Value) -> None:
        arguments = {spelled(name): getattr(value, name) for name in value.checks()}
        super().__init__(json.loads(json.dumps({"schedule": type(value).__name__, **arguments}, default=plain)))
        self._value = value

    def update(self, saved: Any) -> None:  # type: ignore[override]
        """Do nothing: the saved arguments are those that the value has.

        Raises:
            ValueError: they differ.
        """
        from gradstep.schedules.changes import difference
        from gradstep.schedules.serial import from_json

        if changed := difference(from_json(saved), self._value):  # type: ignore[arg-type]
            raise ValueError(
                f"the scheduler's state_dict was saved with another schedule (saved -> given):\n{changed}\n"
                "To go on with the saved one, make the scheduler with it; to go on with the given one, put None in its "
                "place in the state_dict ('lr_lambdas' of LambdaLR, '_scale_fn_custom' of CyclicLR) before loading."
            )


def spelled(field: str) -> str:
    """The argument of a field. A field has an underscore at the end where a method has the name."""
    return field.rstrip("_")


def plain(value: Any) -> dict[str, Any]:
    if isinstance(value, Value):
        return {"schedule": type(value).__name__, **value.arguments()}
    raise TypeError(f"{value!r} can't be stored in a schedule's JSON")


def shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)
