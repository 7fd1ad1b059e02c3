"""Single updates of one array in place, with the state as arguments."""

from __future__ import annotations

from inspect import Parameter, Signature, signature
from typing import Any, Protocol

from gradstep import _core
from gradstep.interop.devices import plan_for
from gradstep.interop.libraries import library_of
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.scheduling import evaluate_schedules
from gradstep.rules.base import Rule
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import step_settings

__all__ = ["Update", "update_of"]


class Update(Protocol):
    """An update of one array in place."""

    __name__: str

    def __call__(self, param: Any, grad: Any, *states: Any, step: int, **hyperparameters: Any) -> None: ...


def update_of(rule: type[Rule], module: str) -> Update:
    """The function in ``module`` that makes one update by a rule."""
    name = rule.__name__.lower() + "_"
    defaults = rule.own_defaults()

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
        group = rule.default_group()
        if unknown := sorted(set(hyperparameters) - set(group)):
            raise TypeError(f"{name} got an unexpected keyword argument {unknown[0]!r}: it takes {', '.join(group)}")
        group.update(hyperparameters)
        evaluate_schedules(group, step - 1, rule.hyperparameters())
        rule.check({**group, "params": [param]})
        state = _state(name, rule, group, states) | _option_arrays(name, group, average, copy)
        state["step"] = library_of(param).new_number(param, step - 1.0, exact=True)
        settings = step_settings([group], get_num_threads(), grad_scale, found_inf)
        _apply(rule, group, ([[param]], [grad], [state], [rule.settings(group)], settings), fresh=step == 1)

    update.__name__ = update.__qualname__ = name
    update.__module__ = module
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
    vars(update)["__signature__"] = _with_names(signature(update), rule)
    return update


def _with_names(of_update: Signature, rule: type[Rule]) -> Signature:
    """The signature of an update with the hyper-parameters and options of its rule by name."""
    *parameters, _ = of_update.parameters.values()
    named = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in rule.arguments()]
    return of_update.replace(parameters=[*parameters, *named])


def _state_text(rule: type[Rule], defaults: Group) -> str:
    return ", ".join((*rule.kernel(defaults).arrays, *rule.numbers[1:])) or "none"


def _state(name: str, rule: type[Rule], group: Group, given: tuple[Any, ...]) -> dict[str, Any]:
    names = (*rule.kernel(group).arrays, *rule.numbers[1:])
    if len(given) != len(names):
        expected = ", ".join(names) or "none"
        raise TypeError(f"{name} got {len(given)} arrays of state: with these hyper-parameters it takes {expected}")
    return dict(zip(names, given, strict=True))


def _option_arrays(name: str, group: Group, average: Any, copy: Any) -> dict[str, Any]:
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
