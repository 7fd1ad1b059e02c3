"""The declaration of a rule: its states, hyper-parameters and kernel. The arithmetic is in ``cpp/rules``."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from inspect import Parameter
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from gradstep import _core
from gradstep.interop.arrays import is_complex
from gradstep.rules.fields import Field, declared_fields
from gradstep.rules.hyperparameters import Group, Places, read_hyperparameter, read_switch
from gradstep.rules.options import (
    NO_SOURCES,
    OPTION_DEFAULTS,
    OPTION_PLACES,
    Options,
    Sources,
    check_options,
    step_options,
)
from gradstep.rules.progress import check_progress
from gradstep.rules.rate_scale import scale_of
from gradstep.rules.signatures import arguments_of, make_init

__all__ = ["CLASS", "Kernel", "Rule", "check_nesterov"]

CLASS = "gradstep_class"
"""The key of the class's name in a group; a checkpoint of another class is refused by it."""


class Kernel(NamedTuple):
    """A rule of the core and the names of its arrays of state, in the order of its arguments."""

    rule: str
    arrays: tuple[str, ...] = ()


class Rule:
    """An optimizer's declaration, shared by the optimizer over arrays and the one over torch parameters.

    A subclass states its hyper-parameters as annotated fields (:mod:`gradstep.rules.fields`), from which its
    ``__init__`` is made: it takes the parameters, the fields in their order and the options, and hands them on as the
    defaults of the groups. It is mixed into an optimizer class: ``class Adam(rules.Adam, ArrayOptimizer)``.
    """

    #: numbers of state besides the arrays: the step, then the rule's own, in its order
    numbers: ClassVar[tuple[str, ...]] = ("step",)
    #: whether all parameters share these numbers: the same arrays are in each state
    shares_numbers: ClassVar[bool] = False
    #: the numbers that are float64 for every dtype of the parameter
    exact_numbers: ClassVar[tuple[str, ...]] = ()
    #: whether it takes complex parameters, as pairs of reals
    takes_complex: ClassVar[bool] = True
    #: options whose default differs from the common one
    option_defaults: ClassVar[Options] = {}
    #: options that follow the hyper-parameters by position too, as in torch
    positional_options: ClassVar[tuple[str, ...]] = ()
    #: the hyper-parameter that says how far the point of the gradients is from the average, for a rule that has one
    #: and so an evaluation mode
    momentum_name: ClassVar[str | None] = None
    #: whether torch's class makes the states with the optimizer rather than at a parameter's first update
    eager_states: ClassVar[bool] = False
    #: whether torch's class refuses sparse parameters itself, even those that are never updated
    needs_dense_parameters: ClassVar[bool] = False

    _fields: ClassVar[Mapping[str, Field]] = MappingProxyType({})
    _places: ClassVar[Places] = OPTION_PLACES
    _switches: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = dict(declared_fields(cls))
        for name in own:
            delattr(cls, name)  # otherwise optimizer.lr would be a number that nothing uses
        if "kernel" in vars(cls) and not {"lr", "weight_decay"} <= {*cls._fields, *own}:
            raise TypeError(f"{cls.__name__} must declare lr and weight_decay, as annotations that are no strings")
        if own:
            cls._declare(own)

    @classmethod
    def _declare(cls, own: dict[str, Field]) -> None:
        """Add the fields of the class's body to those that it inherits."""
        cls._fields = MappingProxyType({**cls._fields, **own})
        places = {name: place for each in cls._fields.values() for name, place in each.places.items()}
        cls._places = MappingProxyType({**places, **OPTION_PLACES})
        cls._switches = frozenset(name for name, each in cls._fields.items() if each.is_switch)
        first = next(each for each in reversed(cls.__mro__[:-1]) if "_fields" in vars(each) and each is not Rule)
        cls.__init__ = make_init(cls, first, cls.arguments())  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        raise TypeError(f"{type(self).__name__} is a declaration: use gradstep.{type(self).__name__} or gradstep.optim")

    @classmethod
    def arguments(cls) -> list[Parameter]:
        """Its hyper-parameters and the options, as its ``__init__`` takes them after the parameters."""
        return arguments_of(cls._fields, cls.positional_options, cls.option_defaults)

    @classmethod
    def own_defaults(cls) -> Group:
        """The rule's own hyper-parameters with their defaults."""
        return {name: field.default for name, field in cls._fields.items()}

    @classmethod
    def default_group(cls) -> Group:
        """A group at its defaults: the rule's own hyper-parameters and the options of every optimizer."""
        return {**cls.own_defaults(), **OPTION_DEFAULTS, **cls.option_defaults}

    @classmethod
    def hyperparameters(cls) -> Places:
        """The numbers that a group of this rule holds, by their names: its own, and those among the options."""
        return cls._places

    @classmethod
    def switches(cls) -> frozenset[str]:
        """The names of its hyper-parameters that are True or False."""
        return cls._switches

    @classmethod
    @functools.cache
    def class_name(cls) -> str:
        """The name of the rule and its optimizers, also for subclasses and wrappers."""
        return next(each.__name__ for each in cls.__mro__ if each.__module__.startswith(f"{__package__}."))

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        """The kernel for a group's settings."""
        raise AttributeError(f"{cls.__name__} declares no kernel")

    @classmethod
    def state_names(cls, group: Group) -> _core.StateNames:
        """The names of a parameter's state."""
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
        """The initial value of an array or number of state."""
        return 0.0

    @classmethod
    def sees_matrix(cls, group: Group) -> bool:
        """Whether the last two dimensions of a parameter are rows and columns to the rule."""
        return cls.kernel(group).rule in _MATRIX_RULES

    @classmethod
    def needs_all_gradients(cls, group: Group) -> bool:
        """Whether an update needs the gradients of all tensors at once."""
        return _FACTS[cls.kernel(group).rule].scope == "all"

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
        """Whether this rule leaves rows without a sparse gradient unchanged."""
        return False

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        """Raise TypeError or ValueError for a group that can't be used.

        A number that has one of the ``sources`` is not read.
        """
        check_options(group, cls.__name__, sources)
        cls._check_complex(group)
        if missing := [key for key in cls._fields if key not in group]:
            default = cls._fields[missing[0]].default
            raise ValueError(f"the group has no {missing[0]!r}: put it back, its default is {default!r}")
        for name in cls._switches:
            read_switch(group, name)
        for name in cls._own_numbers():
            if name not in sources:
                cls._read(group, name)
        if group["release"] and cls.needs_all_gradients(group):
            raise ValueError(
                f"{cls.__name__} needs the gradients of all tensors for the update of each, and release=True never has "
                "two of them at once: leave it out"
            )
        scale_of(group)
        check_progress(group, cls._places)
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
        """The class that declares the kernel; two classes with the same one differ only in their defaults."""
        return next(each for each in cls.__mro__ if issubclass(each, Rule) and "kernel" in vars(each))

    @classmethod
    @functools.cache
    def _own_numbers(cls) -> tuple[str, ...]:
        """The names of the numbers among its hyper-parameters; a tuple holds several."""
        return tuple(name for field in cls._fields.values() for name in field.places)

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
        cls, group: Group, options: _core.StepOptions | None = None, sources: Sources = NO_SOURCES
    ) -> _core.GroupSettings:
        """Check a group's settings and convert them for the core; numbers with a source are 0.

        ``options`` are the group's options for the core, if they are known already.
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
            options=options or step_options(group),
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
        if name in cls._switches:
            return read_switch(group, name)
        return read_hyperparameter(group, name, cls._places[name])


_FACTS = _core.rules()
_HYPER_NAMES = {name: tuple(facts.hypers) for name, facts in _FACTS.items()}
_STATE_SHAPES = {name: tuple(facts.states) for name, facts in _FACTS.items()}
_MATRIX_RULES = frozenset(name for name, facts in _FACTS.items() if facts.sees_matrix)


def check_nesterov(group: Group, sources: Sources = NO_SOURCES) -> None:
    """Raise ValueError for Nesterov momentum without momentum, or with dampening."""
    dampened = "dampening" not in sources and group["dampening"] != 0
    if group["nesterov"] and (group["momentum"] <= 0 or dampened):
        raise ValueError(
            "Nesterov momentum requires a momentum and zero dampening: "
            f"got momentum={group['momentum']}, dampening={group['dampening']}"
        )
