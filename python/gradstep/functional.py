"""The bare kernels: one update of one array, with the state given.

Each function updates its arrays in place and keeps nothing. The arrays of state follow the gradient in the order of the
rule's paper; ``step`` counts from 1, and a schedule is read at ``step - 1``.

>>> import numpy as np, gradstep
>>> p, m, v = np.ones(3), np.zeros(3), np.zeros(3)
>>> gradstep.functional.adamw_(p, np.full(3, 0.5), m, v, step=1, lr=0.1, weight_decay=0.1)
>>> p.round(6)
array([0.89, 0.89, 0.89])
"""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import numpy as np

from gradstep import _core, rules
from gradstep.arrays import tell_autograd
from gradstep.hyperparameters import Group
from gradstep.rules.base import Rule
from gradstep.scheduling import evaluate_schedules
from gradstep.threads import get_num_threads

__all__ = [
    "adadelta_",
    "adagrad_",
    "adam_",
    "adamax_",
    "adamw_",
    "asgd_",
    "lion_",
    "nadam_",
    "radam_",
    "rmsprop_",
    "rprop_",
    "sgd_",
    "signum_",
]


class Update(Protocol):
    """An update of one array in place."""

    def __call__(self, param: Any, grad: Any, *states: Any, step: int, **hyperparameters: Any) -> None: ...


def _own_defaults(rule: type[Rule]) -> Group:
    signature = inspect.signature(rule.__init__)
    names = [name for name, each in signature.parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    return {name: signature.parameters[name].default for name in names[2:]}  # after self and params


def _update_of(rule: type[Rule]) -> Update:
    name = rule.__name__.lower() + "_"
    defaults = _own_defaults(rule)

    def update(param: Any, grad: Any, *states: Any, step: int, **hyperparameters: Any) -> None:
        if isinstance(step, bool) or not isinstance(step, int) or step < 1:
            raise ValueError(f"{name} got step={step!r}: it counts updates from 1")
        group = rule.defaults_with({}, **defaults)
        if unknown := sorted(set(hyperparameters) - set(group)):
            raise TypeError(f"{name} got an unexpected keyword argument {unknown[0]!r}: it takes {', '.join(group)}")
        group.update(hyperparameters)
        evaluate_schedules(group, step - 1)
        rule.check(group)
        _apply(name, rule, group, param, grad, states, step)

    update.__name__ = update.__qualname__ = name
    arguments = ", ".join(f"{key}={value!r}" for key, value in defaults.items())
    update.__doc__ = (
        f"One update of {rule.__name__}, in place.\n\n"
        f"Equations, hyper-parameters and source: :class:`gradstep.{rule.__name__}`.\n\n"
        f"Args:\n    param: the array to update.\n    grad: its gradient, read only.\n"
        f"    states: {_state_text(rule, defaults)}, updated too.\n    step: this update, counted from 1.\n"
        f"    hyperparameters: {arguments}; and the options of every optimizer.\n\n"
        "Raises:\n    TypeError, ValueError: an argument can't be used; nothing has been written.\n"
    )
    return update


def _state_text(rule: type[Rule], defaults: Group) -> str:
    return ", ".join((*rule.kernel(defaults).arrays, *rule.numbers[1:])) or "none"


def _apply(
    name: str, rule: type[Rule], group: Group, param: Any, grad: Any, states: tuple[Any, ...], step: int
) -> None:
    arrays, kept = rule.kernel(group).arrays, rule.numbers[1:]
    if len(states) != len(arrays) + len(kept):
        expected = ", ".join((*arrays, *kept)) or "none"
        raise TypeError(f"{name} got {len(states)} arrays of state: with these hyper-parameters it takes {expected}")
    state = dict(zip((*arrays, *kept), states, strict=True))
    state["step"] = np.array(step - 1.0)
    numbers = ("step", *kept)
    plan = _core.Plan()
    settings = [rule.settings(group)]
    threads = get_num_threads()
    if plan.step([[param]], [grad], [state], settings, threads):
        plan.bind(0, state, arrays, numbers, step == 1)
        plan.step([[param]], [grad], [state], settings, threads)
    tell_autograd((param, *states))


adadelta_ = _update_of(rules.Adadelta)
adagrad_ = _update_of(rules.Adagrad)
adam_ = _update_of(rules.Adam)
adamax_ = _update_of(rules.Adamax)
adamw_ = _update_of(rules.AdamW)
asgd_ = _update_of(rules.ASGD)
lion_ = _update_of(rules.Lion)
nadam_ = _update_of(rules.NAdam)
radam_ = _update_of(rules.RAdam)
rmsprop_ = _update_of(rules.RMSprop)
rprop_ = _update_of(rules.Rprop)
sgd_ = _update_of(rules.SGD)
signum_ = _update_of(rules.Signum)
