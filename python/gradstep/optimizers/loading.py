"""Loading of a ``state_dict``: groups and states are made and checked before any of them is used."""

from __future__ import annotations

import copy
import functools
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gradstep import rules
from gradstep.interop.arrays import is_complex
from gradstep.interop.scalars import read_float, shown
from gradstep.optimizers.accumulation import refuse_lost_sums
from gradstep.optimizers.scheduling import resume_schedules, scheduled
from gradstep.rules.base import CLASS, Rule
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import OPTION_DEFAULTS, check_together

if TYPE_CHECKING:
    from gradstep.optimizers.step import Stepping

__all__ = [
    "array_names",
    "is_number",
    "is_wide",
    "loaded_groups",
    "read_number",
    "refuse_other_kind",
    "refuse_shape",
    "take",
]

_SURROUNDING = frozenset({"ema", "ema_product", "cast", "gradient_sum"})
#: options that change the implementation, not the result
_HOW = frozenset({"foreach", "fused", "capturable", "differentiable", "release"})
_MOST = 2**53  #: up to here float64 counts every update
_SHOWN = 4  #: groups whose changed options a warning shows


def take(optimizer: Stepping, groups: list[Group], states: Any) -> None:
    """Replace an optimizer's groups and states in one assignment, after everything that they need is made."""
    successor = object.__new__(type(optimizer))
    vars(successor).update(vars(optimizer))
    successor.__setstate__({"param_groups": groups, "state": states})  # type: ignore[attr-defined]
    vars(optimizer).update(vars(successor))


def loaded_groups(optimizer: Stepping, state_dict: Mapping[str, Any]) -> list[Group]:
    """The groups of a ``state_dict`` over the optimizer's parameters; keys that it lacks keep their values.

    Raises:
        TypeError, ValueError: they have another class or other schedules, or a value can't be used.
    """
    own, saved = optimizer.param_groups, state_dict["param_groups"]
    _refuse_other_class(optimizer, own, state_dict)
    resumed = resume_schedules(own, saved, state_dict["state"], optimizer.hyperparameters())
    groups = [_merged(optimizer, mine, each) for mine, each in zip(own, resumed, strict=True)]
    for mine, group in zip(own, groups, strict=True):
        optimizer.check(group)
        group["release"] = mine["release"]  # it changes the implementation, not the result
    check_together(groups)
    refuse_lost_sums(state_dict)
    _warn_of_changes(own, groups)
    return groups


def _merged(optimizer: Stepping, own: Group, saved: Group) -> Group:
    merged = copy.deepcopy({**saved, "params": None}) | {"params": own["params"]}
    if "param_names" in own:
        merged.setdefault("param_names", own["param_names"])
    for key, default in optimizer.defaults.items():
        merged.setdefault(key, own.get(key, default))
    decay = "decoupled_weight_decay"
    if optimizer.option_defaults.get(decay) and not merged[decay]:  # AdamW stays decoupled, as torch's does
        merged[decay] = own.get(decay, True)
    return merged


def is_number(optimizer: Rule, name: str) -> bool:
    """Whether a state of this name is one number."""
    return name == "ema_product" or name in optimizer.numbers


def is_wide(array: Any) -> bool:
    """Whether it is one number in a dtype in which states keep numbers."""
    return array.ndim == 0 and str(array.dtype).removeprefix("torch.") in ("float32", "float64")


def array_names(rule: Any) -> frozenset[str]:
    """The names of the arrays that states can hold by the rule."""
    return _states_of(rule) - frozenset(rule.numbers)


def read_number(name: str, value: Any, index: int) -> float:
    """A number from a saved state.

    Raises:
        ValueError: no update could have left this number.
    """
    whole = name == "step"
    try:
        number = read_float(value, name)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or (whole and not (0 <= number <= _MOST and number.is_integer())):
        wanted = "counts updates and must be a whole number from 0 to 2**53" if whole else "must be one finite number"
        raise ValueError(f"the state {name!r} of parameter {index} is {shown(value)}: it {wanted}")
    return number


def refuse_shape(
    optimizer: Rule,
    group: Group,
    name: str,
    found: tuple[int, ...],
    shape: tuple[int, ...],
    index: int,
    owner: str,
) -> None:
    """Raise ValueError for an array of state that does not fit its parameter, which has this ``shape``."""
    expected = optimizer.state_shape(name, group, shape)
    if found != expected:
        wanted = "" if expected == shape else f", for which that state has shape {expected}"
        raise ValueError(
            f"the state {name!r} of parameter {index} has shape {found}, but the parameter has shape {shape}{wanted}: "
            f"load a state_dict of the same {owner}"
        )


def refuse_other_kind(optimizer: Rule, name: str, array: Any, parameter: Any, index: int) -> None:
    """Raise ValueError for a real array of state of a complex parameter, or the reverse."""
    if name in _SURROUNDING | array_names(type(optimizer)) and is_complex(array) != is_complex(parameter):
        kinds = ("complex", "real") if is_complex(array) else ("real", "complex")
        raise ValueError(
            f"the state {name!r} of parameter {index} is {kinds[0]}, but the parameter is {kinds[1]}: both must be "
            "real, or both complex; load a state_dict of a parameter of its kind"
        )


@functools.cache
def _states_of(rule: type[Rule]) -> frozenset[str]:
    """All names that a state can have by the rule; its kernels depend on switches and on whether there is momentum."""
    own = rule.own_defaults()
    choices: dict[str, tuple[Any, ...]] = dict.fromkeys(rule.switches(), (False, True))
    choices |= {place.key: (0.0, 0.5) for place in rule.hyperparameters().values() if place.chooses_kernel}
    groups = ({**own, **dict(zip(choices, values, strict=True))} for values in itertools.product(*choices.values()))
    return frozenset(itertools.chain(rule.numbers, *(rule.kernel(group).arrays for group in groups)))


@functools.cache
def _hyperparameters_of(rule: type[Rule]) -> frozenset[str]:
    """The names of the rule's hyper-parameters, without the decay, which some classes of torch lack."""
    return frozenset(rule.own_defaults()) - {"weight_decay"}


_RULES: Mapping[str, Any] = rules.ALL


def _refuse_other_class(optimizer: Stepping, own: list[Group], state_dict: Mapping[str, Any]) -> None:
    """Raise ValueError for a ``state_dict`` of an optimizer of another class.

    Groups that this library wrote contain the name of their class. The groups of torch and of earlier versions are
    recognised by the names of their states and hyper-parameters. Adam and AdamW load each other's, as torch's do: they
    are one rule with different defaults.
    """
    mine: Any = type(optimizer)
    for name in (group[CLASS] for group in state_dict["param_groups"] if CLASS in group):
        if not isinstance(name, str) or name not in _interchangeable(mine):
            source = name if isinstance(name, str) else "another class"
            raise _other_class(mine, source, f"its groups have {CLASS!r}: {shown(name)}")
    kept = {name for state in state_dict["state"].values() for name, each in _items(state) if each is not None}
    kept -= _SURROUNDING | {"step"}  # torch's SGD has none
    known = frozenset().union(*map(_hyperparameters_of, _RULES.values()))
    given = known.intersection(*(group.keys() for group in state_dict["param_groups"]))
    given -= {key for group in own for key in group} - _hyperparameters_of(mine)  # keys that the program has added
    others = kept & frozenset().union(*map(_states_of, _RULES.values())) - _states_of(mine)
    strange = kept if kept.isdisjoint(array_names(mine)) else set()
    alike = [n for n, rule in _RULES.items() if given == _hyperparameters_of(rule) and kept <= _states_of(rule)]
    if others or strange or given - _hyperparameters_of(mine) or (given != _hyperparameters_of(mine) and alike):
        source = " or ".join(alike) or "another class"
        held = f"its states hold {', '.join(sorted(kept))}" if kept else f"its groups hold {', '.join(sorted(given))}"
        raise _other_class(mine, source, held)


@functools.cache
def _interchangeable(rule: type[Rule]) -> frozenset[str]:
    """The names of the classes that differ from this one only in their defaults."""
    alike = (name for name, each in _RULES.items() if each.declaration() is rule.declaration())
    return frozenset({rule.class_name(), *alike})


def _other_class(mine: type[Rule], source: str, held: str) -> ValueError:
    name = mine.class_name()
    return ValueError(
        f"the state_dict is of {source}, but this optimizer is {name}: {held}. Load it into an optimizer of the class "
        f"that saved it; to go on with {name}, load the model alone and let its states begin anew"
    )


def _items(state: Any) -> Iterable[tuple[str, Any]]:
    return state.items() if isinstance(state, dict) else ()


def _warn_of_changes(own: list[Group], loaded: list[Group]) -> None:
    """List in one warning the options that loading has changed."""
    changed = [(i, list(_changes(*each))) for i, each in enumerate(zip(own, loaded, strict=True))]
    changed = [(i, lines) for i, lines in changed if lines]
    if not changed:
        return
    shown_groups = "; ".join(f"group {i}: {', '.join(lines)}" for i, lines in changed[:_SHOWN])
    more = f"; and {len(changed) - _SHOWN} more groups" if len(changed) > _SHOWN else ""
    warnings.warn(
        f"the state_dict's options take the place of this optimizer's, as in torch: {shown_groups}{more}. To keep "
        "this optimizer's, delete them from state_dict['param_groups'] before loading",
        UserWarning,
        stacklevel=4,
    )


def _changes(own: Group, loaded: Group) -> Iterator[str]:
    for key in OPTION_DEFAULTS:
        before, after = own.get(key), loaded[key]
        if key not in _HOW and key not in scheduled(loaded) and not _is_same(before, after):
            yield f"{key} {shown(before)} -> {shown(after)}"


def _is_same(one: Any, other: Any) -> bool:
    if hasattr(one, "item") or hasattr(other, "item"):
        return None not in (one, other) and read_float(one, "") == read_float(other, "")
    return bool(one == other)
