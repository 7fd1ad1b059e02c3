"""The updates: one of one array, in place, with the state given."""

from __future__ import annotations

from typing import Any, Protocol

from gradstep import _core, rules
from gradstep.interop.devices import plan_for
from gradstep.interop.libraries import library_of
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.scheduling import evaluate_schedules
from gradstep.rules.base import Rule
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import step_settings

__all__ = [
    "adadelta_",
    "adagrad_",
    "adam_",
    "adamatan2_",
    "adamax_",
    "adamw_",
    "adan_",
    "ademamix_",
    "adopt_",
    "asgd_",
    "lamb_",
    "laprop_",
    "lars_",
    "lion_",
    "nadam_",
    "nadamw_",
    "prodigy_",
    "radam_",
    "rmsprop_",
    "rprop_",
    "schedulefreeadamw_",
    "schedulefreesgd_",
    "sgd_",
    "signum_",
    "sparseadam_",
    "stableadamw_",
]


class Update(Protocol):
    """An update of one array in place."""

    def __call__(self, param: Any, grad: Any, *states: Any, step: int, **hyperparameters: Any) -> None: ...


def _update_of(rule: type[Rule]) -> Update:
    name = rule.__name__.lower() + "_"
    defaults = dict(rule.own_defaults())

    def update(
        param: Any,
        grad: Any,
        *states: Any,
        step: int,
        average: Any = None,
        copy: Any = None,
        grad_scale: Any = None,
        found_inf: Any = None,
        **hyperparameters: Any,
    ) -> None:
        if isinstance(step, bool) or not isinstance(step, int) or step < 1:
            raise ValueError(f"{name} got step={step!r}: it counts updates from 1")
        group = rule.defaults_with({}, **defaults)
        if unknown := sorted(set(hyperparameters) - set(group)):
            raise TypeError(f"{name} got an unexpected keyword argument {unknown[0]!r}: it takes {', '.join(group)}")
        group.update(hyperparameters)
        evaluate_schedules(group, step - 1)
        rule.check({**group, "params": [param]})
        state = _state(name, rule, group, states) | _surroundings(name, group, average, copy)
        state["step"] = library_of(param).new_number(param, step - 1.0, exact=True)
        settings = step_settings([group], get_num_threads(), grad_scale, found_inf)
        _apply(rule, group, ([[param]], [grad], [state], [rule.settings(group)], settings), fresh=step == 1)

    update.__name__ = update.__qualname__ = name
    arguments = ", ".join(f"{key}={value!r}" for key, value in defaults.items())
    update.__doc__ = (
        f"One update of {rule.__name__}, in place.\n\n"
        f"Equations, hyper-parameters and source: :class:`gradstep.{rule.__name__}`.\n\n"
        f"Args:\n    param: the array to update.\n    grad: its gradient, read only.\n"
        f"    states: {_state_text(rule, defaults)}, updated too.\n    step: this update, counted from 1.\n"
        f"    average, copy: the arrays for the options ema and cast_to.\n"
        f"    grad_scale, found_inf: as ``step`` of the optimizers takes them.\n"
        f"    hyperparameters: {arguments}; and the options of every optimizer.\n\n"
        "Raises:\n    TypeError, ValueError: an argument can't be used; nothing has been written.\n"
    )
    return update


def _state_text(rule: type[Rule], defaults: Group) -> str:
    return ", ".join((*rule.kernel(defaults).arrays, *rule.numbers[1:])) or "none"


def _state(name: str, rule: type[Rule], group: Group, given: tuple[Any, ...]) -> dict[str, Any]:
    names = (*rule.kernel(group).arrays, *rule.numbers[1:])
    if len(given) != len(names):
        expected = ", ".join(names) or "none"
        raise TypeError(f"{name} got {len(given)} arrays of state: with these hyper-parameters it takes {expected}")
    return dict(zip(names, given, strict=True))


def _surroundings(name: str, group: Group, average: Any, copy: Any) -> dict[str, Any]:
    for option, argument, array in (("ema", "average", average), ("cast_to", "copy", copy)):
        if (group[option] is None) != (array is None):
            raise TypeError(f"{name} takes {option} and {argument}, the array to update, together")
    if kept := [option for option in ("clip_lagged", "release") if group[option]]:
        raise ValueError(f"{name} keeps nothing between updates, which {kept[0]} needs: use the optimizer")
    if group["accumulate"] > 1:
        raise ValueError(f"{name} keeps no sum of gradients: give it the sum, and their number as grad_scale")
    if group["ema_bias_correction"]:
        raise ValueError(
            f"{name} keeps nothing, so it can't correct an average: call average_ after it, with a product"
        )
    if group["lazy_rows"]:
        raise ValueError(f"{name} keeps nothing, so rows can't lag: pass a dense gradient, or use an optimizer")
    return {"ema": average, "cast": copy}


def _apply(rule: type[Rule], group: Group, arguments: tuple[Any, ...], fresh: bool) -> None:
    parameters, gradients, states, groups, settings = arguments
    settings.tells_states = True
    binding = _core.StateBinding(0, states[0], {}, rule.state_names(group), fresh)
    plan_for(parameters[0]).step(parameters, gradients, states, groups, settings, [binding])


adadelta_ = _update_of(rules.Adadelta)
adagrad_ = _update_of(rules.Adagrad)
adam_ = _update_of(rules.Adam)
adamatan2_ = _update_of(rules.AdamAtan2)
adamax_ = _update_of(rules.Adamax)
adamw_ = _update_of(rules.AdamW)
adan_ = _update_of(rules.Adan)
ademamix_ = _update_of(rules.AdEMAMix)
adopt_ = _update_of(rules.ADOPT)
asgd_ = _update_of(rules.ASGD)
lamb_ = _update_of(rules.LAMB)
laprop_ = _update_of(rules.LaProp)
lars_ = _update_of(rules.LARS)
lion_ = _update_of(rules.Lion)
nadam_ = _update_of(rules.NAdam)
nadamw_ = _update_of(rules.NAdamW)
prodigy_ = _update_of(rules.Prodigy)
radam_ = _update_of(rules.RAdam)
rmsprop_ = _update_of(rules.RMSprop)
rprop_ = _update_of(rules.Rprop)
schedulefreeadamw_ = _update_of(rules.ScheduleFreeAdamW)
schedulefreesgd_ = _update_of(rules.ScheduleFreeSGD)
sgd_ = _update_of(rules.SGD)
signum_ = _update_of(rules.Signum)
sparseadam_ = _update_of(rules.SparseAdam)
stableadamw_ = _update_of(rules.StableAdamW)
