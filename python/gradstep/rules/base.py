"""What a rule declares to the door: its states, its numbers, its kernel. The arithmetic is in ``cpp/rules``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from gradstep import _core
from gradstep.interop.arrays import is_complex
from gradstep.rules.hyperparameters import (
    HYPERPARAMETERS,
    Group,
    Hyperparameter,
    read_hyperparameter,
    read_switch,
)
from gradstep.rules.options import NO_SOURCES, OPTION_DEFAULTS, Options, Sources, check_options, surroundings
from gradstep.rules.progress import check_progress
from gradstep.rules.rate_scale import scale_of

__all__ = ["CLASS", "Kernel", "Rule", "check_nesterov"]

CLASS = "gradstep_class"
"""Under this key a group has the name of its optimizer's class, by which a checkpoint of another is refused."""


class Kernel(NamedTuple):
    """A rule of the core and the names of its arrays of state, in the order of its arguments."""

    rule: str
    arrays: tuple[str, ...] = ()


class Rule:
    """An optimizer's declaration, shared by the optimizer over arrays and the one over torch parameters.

    A subclass states its hyper-parameters by its ``__init__``, which hands them on as the defaults of the groups. It is
    mixed into an optimizer class: ``class Adam(rules.Adam, ArrayOptimizer)``.
    """

    #: numbers of state beside the arrays: the step, then those that the rule keeps, in its order
    numbers: ClassVar[tuple[str, ...]] = ("step",)
    #: whether all parameters share these numbers: the same arrays are in each state
    shares_numbers: ClassVar[bool] = False
    #: those of the numbers that are float64 whatever the parameter's dtype
    exact_numbers: ClassVar[tuple[str, ...]] = ()
    #: whether it takes complex parameters, as pairs of reals
    takes_complex: ClassVar[bool] = True
    #: whether an update needs the gradients of all tensors at once
    needs_all_gradients: ClassVar[bool] = False
    #: options whose default differs from the common one
    option_defaults: ClassVar[Options] = {}
    #: hyper-parameters that are True or False
    switches: ClassVar[frozenset[str]] = frozenset()
    #: hyper-parameters whose limits differ from the common ones
    limits: ClassVar[Mapping[str, Hyperparameter]] = {}

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        raise TypeError(f"{type(self).__name__} is a declaration: use gradstep.{type(self).__name__} or gradstep.optim")

    @classmethod
    def defaults_with(cls, options: Mapping[str, Any], **own: Any) -> Group:
        """A group's defaults: the rule's own hyper-parameters and the options of every optimizer."""
        if unknown := sorted(set(options) - set(OPTION_DEFAULTS)):
            raise TypeError(
                f"{cls.__name__} got an unexpected keyword argument {unknown[0]!r}: "
                f"beside its own it takes {', '.join(OPTION_DEFAULTS)}"
            )
        return {"weight_decay": 0.0, **own, **OPTION_DEFAULTS, **cls.option_defaults, **options}

    @classmethod
    @functools.cache
    def class_name(cls) -> str:
        """The name under which rule and optimizer are known, whatever subclass or wrapper of them this is."""
        return next(each.__name__ for each in cls.__mro__ if each.__module__.startswith(f"{__package__}."))

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        """The kernel for a group's settings."""
        raise AttributeError(f"{cls.__name__} declares no kernel")

    @classmethod
    def state_names(cls, group: Group) -> _core.StateNames:
        """What a parameter's state holds, by name."""
        averages = group["ema"] is not None
        return _core.StateNames(
            cls.kernel(group).arrays,
            cls.numbers,
            average="ema" if averages else "",
            average_product="ema_product" if averages and group["ema_bias_correction"] else "",
            copy="" if group["cast_to"] is None else "cast",
        )

    @classmethod
    def initial(cls, name: str, group: Group) -> float:
        """What a new array or number of state is filled with."""
        return 0.0

    @classmethod
    def sees_matrix(cls, group: Group) -> bool:
        """Whether the last two dimensions of a parameter are rows and columns to the rule."""
        return cls.kernel(group).rule in _MATRIX_RULES

    @classmethod
    def state_shape(cls, name: str, group: Group, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an array of state of a parameter of this shape; it broadcasts to that."""
        kernel = cls.kernel(group)
        kind = dict(zip(kernel.arrays, _STATE_SHAPES[kernel.rule], strict=True)).get(name, "parameter")
        if kind == "parameter" or not shape:
            return shape
        matrices = shape[:-2] if kind != "tensor" else tuple(1 for _ in shape[:-2])
        rows = shape[-2:-1] if kind == "row" else tuple(1 for _ in shape[-2:-1])
        return (*matrices, *rows, shape[-1] if kind == "column" else 1)

    @classmethod
    def takes_rows(cls, group: Group) -> bool:
        """Whether rows that a sparse gradient leaves out rest by this rule."""
        return False

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        """Raise TypeError or ValueError for a group that can't be used, whoever has made it or written into it.

        What has one of the ``sources`` is not read.
        """
        check_options(group, cls.__name__, sources)
        cls._check_complex(group)
        if group["release"] and cls.needs_all_gradients:
            raise ValueError(
                f"{cls.__name__} needs the gradients of all tensors for the update of each, and release=True never has "
                "two of them at once: leave it out"
            )
        own = cls.own_defaults()
        if missing := [key for key in own if key not in group]:
            raise ValueError(f"the group has no {missing[0]!r}: put it back, its default is {own[missing[0]]!r}")
        for name in cls._own_switches():
            read_switch(group, name)
        for name in cls._own_numbers():
            if name not in sources:
                cls._read(group, name)
        scale_of(group)
        check_progress(group)
        if _MATRIX_RULES:
            cls._check_matrix(group)

    @classmethod
    def _check_matrix(cls, group: Group) -> None:
        for i, parameter in enumerate(group.get("params", ())):
            if is_complex(parameter) and cls.sees_matrix(group):
                raise ValueError(
                    f"{cls.__name__} sees rows and columns of real numbers, and parameter {i} of the group has dtype "
                    f"{parameter.dtype}: pass a view of its reals (torch.view_as_real, array.view)"
                )

    @classmethod
    def declaration(cls) -> type[Rule]:
        """The class that declares the kernel; two of the same declaration differ by their defaults alone."""
        return next(each for each in cls.__mro__ if issubclass(each, Rule) and "kernel" in vars(each))

    @classmethod
    @functools.cache
    def own_defaults(cls) -> Mapping[str, Any]:
        """The rule's own hyper-parameters with their defaults, from the signature of its declaration."""
        arguments = inspect.signature(cls.declaration()).parameters.values()
        given = {each.name: each.default for each in arguments if each.default is not each.empty}
        own = {name: default for name, default in given.items() if name not in OPTION_DEFAULTS}
        return {**own, "weight_decay": own.get("weight_decay", 0.0)}

    @classmethod
    @functools.cache
    def _own_switches(cls) -> tuple[str, ...]:
        return tuple(name for name, default in cls.own_defaults().items() if isinstance(default, bool))

    @classmethod
    @functools.cache
    def _own_numbers(cls) -> tuple[str, ...]:
        """The names of the numbers among them, of which a tuple holds several."""
        own = cls.own_defaults()
        return tuple(
            name
            for name, place in {**HYPERPARAMETERS, **cls.limits}.items()
            if place.key in own and (place.index is None or place.length == len(own[place.key]))
        )

    @classmethod
    def _check_complex(cls, group: Group) -> None:
        if cls.takes_complex and group["cast_to"] is None:
            return
        for i, parameter in enumerate(group.get("params", ())):
            if not is_complex(parameter):
                continue
            if not cls.takes_complex:
                raise ValueError(
                    f"{cls.__name__} does not support complex parameters, nor does torch's, and parameter {i} of the "
                    f"group has dtype {parameter.dtype}: pass a view of its reals (torch.view_as_real, array.view)"
                )
            raise ValueError(
                f"cast_to={group['cast_to']!r} keeps copies of real numbers, and parameter {i} of the group has dtype "
                f"{parameter.dtype}: leave it out, or pass a view of its reals (torch.view_as_real, array.view)"
            )

    @classmethod
    def settings(
        cls, group: Group, around: _core.StepOptions | None = None, sources: Sources = NO_SOURCES
    ) -> _core.GroupSettings:
        """The group's settings for the core, checked; what has a source is 0 there.

        ``around`` is what the group's options gave before, if still true.
        """

        def read(name: str) -> float:
            value = 0.0 if isinstance(sources.get(name), _core.ScalarRef) else cls._read(group, name)
            return 0.0 if name in sources else value

        rule = cls.kernel(group).rule
        scale = scale_of(group)
        return _core.GroupSettings(
            rule,
            hypers=[read(name) for name in _HYPER_NAMES[rule]],
            lr=read("lr") * scale,
            weight_decay=read("weight_decay"),
            options=around or surroundings(group),
            rows=cls._row_policy(group),
            sources=[(name, source, scale if name == "lr" else 1.0) for name, source in sources.items()],
        )

    @classmethod
    def _row_policy(cls, group: Group) -> _core.RowPolicy:
        if group["lazy_rows"]:
            return _core.RowPolicy.LAG
        return _core.RowPolicy.REST if cls.takes_rows(group) else _core.RowPolicy.REFUSE

    @classmethod
    def _read(cls, group: Group, name: str) -> float:
        if name in cls.switches:
            return read_switch(group, name)
        return read_hyperparameter(group, name, cls.limits.get(name) or HYPERPARAMETERS[name])


_HYPER_NAMES: dict[str, tuple[str, ...]] = {name: tuple(hypers) for name, (_, hypers, _) in _core.rules().items()}
_STATE_SHAPES: dict[str, tuple[str, ...]] = {name: tuple(shapes) for name, (shapes, _, _) in _core.rules().items()}
_MATRIX_RULES = frozenset(name for name, (_, _, sees_matrix) in _core.rules().items() if sees_matrix)


def check_nesterov(group: Group, sources: Sources = NO_SOURCES) -> None:
    """Raise ValueError for Nesterov momentum without momentum, or with dampening."""
    dampened = "dampening" not in sources and group["dampening"] != 0
    if group["nesterov"] and (group["momentum"] <= 0 or dampened):
        raise ValueError(
            "Nesterov momentum requires a momentum and zero dampening: "
            f"got momentum={group['momentum']}, dampening={group['dampening']}"
        )
