"""The arguments of a rule: its hyper-parameters in their order and every option, by name and with a plain type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gradstep.rules.fields import Field
from gradstep.rules.options import OPTION_DEFAULTS, Options
from gradstep.rules.other_names import advice

__all__ = ["arguments_of", "make_init", "spelled"]

_OPTION_TYPES = get_type_hints(Options)


def spelled(annotation: Any) -> str:
    """A type as it is written in source code: ``float | None``."""
    inner = get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(map(spelled, inner))
    if get_origin(annotation) is Literal:
        return f"Literal[{', '.join(map(json.dumps, inner))}]"
    if annotation is NoneType:
        return "None"
    name: str = annotation.__name__
    return f"{name}[{', '.join(map(spelled, inner))}]" if inner else name


def arguments_of(
    fields: Mapping[str, Field], positional_options: tuple[str, ...], option_defaults: Mapping[str, Any]
) -> list[Parameter]:
    """The hyper-parameters and options of a rule, positional ones first."""
    defaults = {**OPTION_DEFAULTS, **option_defaults}

    def field(name: str) -> Parameter:
        kind = Parameter.KEYWORD_ONLY if fields[name].keyword_only else Parameter.POSITIONAL_OR_KEYWORD
        return Parameter(name, kind, default=fields[name].default, annotation=spelled(fields[name].type))

    def option(name: str) -> Parameter:
        kind = Parameter.POSITIONAL_OR_KEYWORD if name in positional_options else Parameter.KEYWORD_ONLY
        return Parameter(name, kind, default=defaults[name], annotation=spelled(_OPTION_TYPES[name]))

    others = [name for name in OPTION_DEFAULTS if name not in positional_options]
    found = [*map(field, fields), *map(option, positional_options), *map(option, others)]
    return sorted(found, key=lambda each: each.kind)


def make_init(rule: type[Any], first: type[Any], arguments: list[Parameter]) -> Callable[..., None]:
    """The ``__init__`` of a rule, which passes its arguments on as the defaults of the groups.

    Args:
        rule: the class that it is made for.
        first: the class that first declares the rule; an optimizer class follows it in the method resolution order.
        arguments: the arguments after the parameters.
    """
    kind = Parameter.POSITIONAL_OR_KEYWORD
    before = [Parameter("self", kind), Parameter("params", kind, annotation="Iterable[Any]")]
    positions = ("params", *(each.name for each in arguments if each.kind is kind))
    defaults = {each.name: each.default for each in arguments}

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        values = _placed(type(self).__name__, positions, given, named)
        if unknown := sorted(values.keys() - defaults.keys() - {"params"}):
            said = advice(unknown[0], defaults) or f"besides its hyper-parameters it takes {', '.join(OPTION_DEFAULTS)}"
            raise TypeError(f"{type(self).__name__} got an unexpected keyword argument {unknown[0]!r}: {said}")
        params = values.pop("params")
        super(first, self).__init__(params, {**defaults, **values})

    __init__.__qualname__ = f"{rule.__qualname__}.__init__"
    __init__.__module__ = rule.__module__
    vars(__init__)["__signature__"] = Signature([*before, *arguments], return_annotation="None")
    return __init__


def _placed(name: str, positions: tuple[str, ...], given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names.

    Raises:
        TypeError: there are too many, two of one name, or no parameters.
    """
    if len(given) > len(positions):
        raise TypeError(f"{name} takes {len(positions)} arguments by position, got {len(given)}: pass the rest by name")
    values = dict(zip(positions, given, strict=False))
    if twice := sorted(values.keys() & named.keys()):
        raise TypeError(f"{name} got {twice[0]!r} twice, by its position and by its name: pass one of them")
    values.update(named)
    if "params" not in values:
        raise TypeError(f"{name} got no params: pass the arrays or parameters to update")
    return values
