"""Remedies for objects in the place of a number. Types are recognised by name, and nothing is imported."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["remedy_for"]


class _Kind(NamedTuple):
    """Objects with one of these classes among their bases, and functions of the module."""

    module: str  #: or the package that it is in
    names: tuple[str, ...]  #: of the class; empty for any
    remedy: str


_STEPPED = "it is no rate but steps one: keep a number or a schedule here, and call {}.step(loss, optimizer)"

#: the first match counts
_KINDS = (
    _Kind("gradstep.feedback", ("MetricScale",), _STEPPED.format("plateau")),
    _Kind("gradstep.schedules", ("Schedule",), "pass its value at the step, schedule(t)"),
    _Kind(
        "torch.optim.lr_scheduler",
        ("ReduceLROnPlateau",),
        _STEPPED.format("plateau") + ", with plateau = gradstep.convert.from_plateau(scheduler, lr=...)",
    ),
    _Kind("torch.optim.lr_scheduler", ("LRScheduler",), "convert it, gradstep.convert.from_torch(scheduler)"),
    _Kind("timm.scheduler", (), "convert it, gradstep.convert.from_timm(scheduler)"),
    _Kind("keras", ("LearningRateSchedule",), "convert it, gradstep.convert.from_keras(schedule)"),
    _Kind(
        "optax",
        (),
        "convert what made it, such as gradstep.convert.from_optax('cosine_decay_schedule', init_value, decay_steps)",
    ),
)


def remedy_for(value: object) -> str:
    """The advice for a value that is not a number, as the end of an error message; empty if there is none.

    >>> remedy_for("1e-3")
    "pass float('1e-3')"
    >>> remedy_for(lambda t: 0.1 / (1 + t))
    'make a function of the step a schedule, gradstep.Callable(function, steps=...)'
    """
    if isinstance(value, str):
        return f"pass float({value!r})" if _is_number(value) else ""
    if isinstance(value, type):
        return f"make one first, {value.__name__}(...)"
    origins = [(each.__module__, each.__name__) for each in type(value).__mro__]
    origins.append((str(getattr(value, "__module__", "")), ""))
    for kind in _KINDS:
        if any(_is_within(module, kind.module) and name in (kind.names or (name,)) for module, name in origins):
            return kind.remedy
    return "make a function of the step a schedule, gradstep.Callable(function, steps=...)" if callable(value) else ""


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
