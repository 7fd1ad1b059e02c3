"""Schedules from text, the inverse of ``repr``. The text is parsed as Python but never run."""

import ast
import inspect
import numbers
import operator
from collections.abc import Callable, Collection
from typing import Any

from gradstep.interop.near_names import did_you_mean
from gradstep.interop.scalars import shown
from gradstep.schedules.base import Schedule, as_schedule
from gradstep.schedules.coupling import tied
from gradstep.schedules.joining import join, stages
from gradstep.schedules.limits import limits
from gradstep.schedules.operators import maximum, minimum

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
SHOWN = 200
"""The characters of a line that an error shows on each side of the mistake."""
RULE = "an expression consists of numbers, strings, lists, + - * / **, schedules and their methods"


def from_expression(text: str) -> Schedule:
    """The schedule that a text such as ``"CosineDecay(0.1, 1000).warmup(50) * 0.5"`` describes.

    The text is parsed and its names are looked up; nothing else in it is ever run.

    Args:
        text: Python code, such as ``repr`` of a schedule gives: names of schedules, functions and methods that return
            schedules, ``+ - * / **``, numbers, strings, lists, True, False and None. A number alone is a `Constant`.

    Raises:
        TypeError: it is not a text.
        ValueError: it contains anything else, or exceeds `gradstep.schedules.limits`; the message points at the place.

    >>> from gradstep import from_expression
    >>> from_expression("Linear(1, end=0, steps=2 * 5).warmup(3)")
    Linear(init=1.0, end=0.0, steps=10).warmup(3)
    >>> from_expression("Linear(1, 0, 10).warm_up(3)")
    Traceback (most recent call last):
    ValueError: there is no method 'warm_up': did you mean 'warmup'? There are clip, ...
      Linear(1, 0, 10).warm_up(3)
                       ^^^^^^^
    """
    if not isinstance(text, str):
        raise TypeError(f"{shown(text)}, a {type(text).__name__}, is not an expression: pass a text")
    limits.check("expression", len(text), f"the expression has {len(text)} characters")
    try:
        return Reader(" ".join(text.split())).schedule()
    except (RecursionError, MemoryError):
        raise ValueError("the expression is nested too deeply or too large to be read: write it in parts") from None


class Reader:
    """Evaluates the parts of one line, and knows the position of each."""

    def __init__(self, line: str) -> None:
        self.line = line
        if not line.isascii() or not line.isprintable():
            raise ValueError(f"{shown(line)} has characters beyond ASCII: {RULE}")
        try:
            self.tree = ast.parse(line, mode="eval").body
        except SyntaxError as wrong:
            raise self.error(f"{wrong.msg}: {RULE}", (wrong.offset or 1) - 1) from None

    def schedule(self) -> Schedule:
        schedule: Schedule = self.attempt(self.tree, as_schedule, self.value(self.tree))
        return schedule

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as constant):
                return constant
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.value(each) for each in items]
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATORS:
                return self.attempt(node, OPERATORS[type(sign)], self.operand(operand))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
                return self.combined(node, OPERATORS[type(sign)], self.operand(left), self.operand(right))
            case ast.Call():
                return self.call(node)
        raise self.error_at(node, f"this is not allowed here: {RULE}")

    def operand(self, node: ast.expr) -> Any:
        value = self.value(node)
        if not isinstance(value, Schedule | numbers.Real):
            raise self.error_at(node, f"{shown(value)} is not an operand: + - * / ** take schedules and numbers")
        return value

    def combined(self, node: ast.expr, combine: Callable[..., Any], left: Any, right: Any) -> Any:
        if combine is operator.pow and not isinstance(left, Schedule):
            raise self.error_at(node, "** takes powers of schedules: write the number itself, such as 10000 or 1e-4")
        return self.attempt(node, combine, left, right)

    def call(self, node: ast.Call) -> Any:
        function = self.function(node.func)
        arguments = [self.value(each) for each in node.args]
        options = {each.arg: self.value(each.value) for each in node.keywords if each.arg}
        if len(options) < len(node.keywords):
            raise self.error_at(node, f"** before an argument is not allowed here: {RULE}")
        return self.attempt(node, function, *arguments, **options)

    def function(self, node: ast.expr) -> Callable[..., Any]:
        match node:
            case ast.Name(id=name):
                known = vocabulary()
                self.check(node, "schedule", name, known)
                return known[name]
            case ast.Attribute(value=owner, attr=name):
                schedule = self.value(owner)
                if not isinstance(schedule, Schedule):
                    raise self.error_at(owner, f"{shown(schedule)} is not a schedule, so it has no methods: {RULE}")
                self.check(node, "method", name, METHODS)
                return getattr(schedule, name)  # type: ignore[no-any-return]
        raise self.error_at(node, f"this can't be called: {RULE}")

    def check(self, node: ast.expr, kind: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            end = node.end_col_offset or 0
            message = f"there is no {kind} {name!r}: {did_you_mean(name, known)}There are {', '.join(sorted(known))}"
            raise self.error(message, end - len(name), end)

    def attempt(self, node: ast.expr, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """The function's value. Its errors are raised again with the position."""
        try:
            return function(*arguments, **options)
        except (TypeError, ValueError, ArithmeticError) as refused:
            usage = f"\nIts arguments are {signature(function)}" if isinstance(node, ast.Call) else ""
            raise self.error_at(node, f"{refused}{usage}") from None

    def error_at(self, node: ast.expr, message: str) -> ValueError:
        return self.error(message, node.col_offset, node.end_col_offset or 0)

    def error(self, message: str, start: int, end: int = 0) -> ValueError:
        first = max(0, start - SHOWN)  # of what is shown of a long line
        marked = min(max(end - start, 1), SHOWN)
        return ValueError(f"{message}\n  {self.line[first : start + SHOWN]}\n  {' ' * (start - first)}{'^' * marked}")


def makes_schedule(each: Any) -> bool:
    return inspect.isfunction(each) and each.__annotations__.get("return") in (Schedule, "Schedule")


METHODS = [name for name, each in vars(Schedule).items() if not name.startswith("_") and makes_schedule(each)]
FUNCTIONS: dict[str, Callable[..., Any]] = {each.__name__: each for each in (join, maximum, minimum, stages, tied)}


def vocabulary() -> dict[str, Callable[..., Any]]:
    """The schedules, and the functions that combine them."""
    return FUNCTIONS | Schedule.classes


def signature(function: Callable[..., Any]) -> str:
    """The arguments and their defaults, without annotations."""
    arguments = inspect.signature(function).parameters.values()
    return f"({', '.join(str(each.replace(annotation=inspect.Parameter.empty)) for each in arguments)})"
