"""What a rule declares to the door: its states, its numbers, its kernel. The arithmetic is in ``cpp/rules``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from gradstep import _core
from gradstep.hyperparameters import (
    HYPERPARAMETERS,
    Group,
    Hyperparameter,
    read_float,
    read_hyperparameter,
    read_switch,
)
from gradstep.options import NO_SOURCES, OPTION_DEFAULTS, Options, Sources, check_options, surroundings

__all__ = ["Kernel", "Rule", "check_nesterov"]


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
    def takes_rows(cls, group: Group) -> bool:
        """Whether rows that a sparse gradient leaves out rest by this rule."""
        return False

    @classmethod
    def check(cls, group: Group) -> None:
        """Raise TypeError or ValueError for a group that can't be used."""
        check_options(group, cls.__name__)
        if group["release"] and cls.needs_all_gradients:
            raise ValueError(
                f"{cls.__name__} needs the gradients of all tensors for the update of each, and release=True never has "
                "two of them at once: leave it out"
            )
        cls.settings(group)

    @classmethod
    def settings(
        cls, group: Group, around: _core.Surroundings | None = None, sources: Sources = NO_SOURCES
    ) -> _core.GroupSettings:
        """The group's settings for the core, checked; what has a source is 0 there.

        ``around`` is what the group's options gave before, if still true.
        """

        def read(name: str) -> float:
            value = 0.0 if isinstance(sources.get(name), _core.NumberCell) else cls._read(group, name)
            return 0.0 if name in sources else value

        rule = cls.kernel(group).rule
        lr_scale = read_float(group.get("lr_scale", 1.0), "lr_scale")
        return _core.GroupSettings(
            rule,
            hypers=[read(name) for name in _HYPER_NAMES[rule]],
            lr=read("lr") * lr_scale,
            weight_decay=read("weight_decay"),
            around=around or surroundings(group),
            rows=cls._row_policy(group),
            sources=[(name, source, lr_scale if name == "lr" else 1.0) for name, source in sources.items()],
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


_HYPER_NAMES: dict[str, tuple[str, ...]] = {name: tuple(hypers) for name, (_, hypers) in _core.rules().items()}


def check_nesterov(group: Group) -> None:
    """Raise ValueError for Nesterov momentum without momentum, or with dampening."""
    if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
        raise ValueError(
            "Nesterov momentum requires a momentum and zero dampening: "
            f"got momentum={group['momentum']}, dampening={group['dampening']}"
        )
