"""The rules that are timed, and who else offers each."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from bench import plain
from gradstep import optim

__all__ = ["GRADSTEP", "RULES", "Rule", "traffic"]

GRADSTEP = "gradstep"

#: how torch is told which of its ways to take
_SWITCHES: dict[str, dict[str, bool]] = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@dataclass(frozen=True)
class Rule:
    """An optimizer class at its default settings but for those given."""

    name: str
    class_name: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def peers(self) -> list[str]:
        """torch's ways (its default first), or the plain loop for a rule that torch has not."""
        found = getattr(torch.optim, self.class_name, None)
        if found is None:
            return ["plain"]
        known = inspect.signature(found).parameters
        return [name for name, switch in _SWITCHES.items() if switch.keys() <= known.keys()]

    def optimizer(self, contestant: str, params: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """This rule by gradstep or by one of its peers."""
        source = {GRADSTEP: optim, "plain": plain}.get(contestant, torch.optim)
        made: torch.optim.Optimizer = getattr(source, self.class_name)(
            params, **self.settings, **_SWITCHES.get(contestant, {})
        )
        return made


def traffic(optimizer: Any) -> list[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """What a step of gradstep's must at least move: the arrays it reads and writes, and those it reads, by tensor."""
    group = optimizer.param_groups[0]
    names = optimizer.kernel(group).arrays
    return [([p, *(optimizer.state[p][name] for name in names)], [p.grad]) for p in group["params"]]


RULES = {
    rule.name: rule
    for rule in (
        Rule("sgd", "SGD"),
        Rule("sgd-momentum", "SGD", {"momentum": 0.9}),
        Rule("adagrad", "Adagrad"),
        Rule("adadelta", "Adadelta"),
        Rule("rmsprop", "RMSprop"),
        Rule("adam", "Adam"),
        Rule("adamw", "AdamW"),
        Rule("adamax", "Adamax"),
        Rule("nadam", "NAdam"),
        Rule("radam", "RAdam"),
        Rule("rprop", "Rprop"),
        Rule("asgd", "ASGD"),
        Rule("lion", "Lion"),
        Rule("signum", "Signum"),
    )
}
