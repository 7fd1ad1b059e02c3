"""The rules that are timed, and who else offers each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from gradstep import optim
from gradstep_bench.peers import Maker, find_peers

__all__ = ["GRADSTEP", "RULES", "Rule"]

GRADSTEP = "gradstep"


@dataclass(frozen=True)
class Rule:
    """An optimizer class at its default settings but for those given."""

    name: str
    class_name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: str = ""  # the class of another library, where torch has none
    theirs: Mapping[str, Any] = field(default_factory=dict)  # what that class needs to compute the same
    measured: tuple[str, ...] = ()  # what a pass before the update reads: "p", "g" and states
    kept: tuple[str, ...] = ()  # states that an update only reads

    @property
    def in_torch(self) -> bool:
        return hasattr(torch.optim, self.class_name)

    @cached_property
    def makers(self) -> dict[str, Maker]:
        """The installed peers, by the names of their ways."""
        return find_peers(self.class_name, self.elsewhere, self.theirs)

    @property
    def peers(self) -> list[str]:
        """The names of the installed peers; the first one's results are the exact ones, in float64."""
        return list(self.makers)

    def optimizer(self, contestant: str, params: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """This rule by gradstep or by one of its peers."""
        ours: Maker = getattr(optim, self.class_name)
        make = ours if contestant == GRADSTEP else self.makers[contestant]
        return make(params, **self.settings)


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
        Rule("lion", "Lion", elsewhere="timm.optim.lion.Lion"),
        Rule("signum", "Signum"),
        Rule("nadamw", "NAdamW", elsewhere="timm.optim.nadamw.NAdamW"),
        Rule("adopt", "ADOPT", elsewhere="timm.optim.adopt.Adopt", theirs={"clip_exp": 0.25}),
        Rule("ademamix", "AdEMAMix"),
        Rule("adan", "Adan", elsewhere="timm.optim.adan.Adan"),
        Rule("laprop", "LaProp", elsewhere="timm.optim.laprop.LaProp"),
        Rule("adam-atan2", "AdamAtan2"),
        Rule("schedule-free-sgd", "ScheduleFreeSGD", elsewhere="schedulefree.SGDScheduleFree"),
        Rule("schedule-free-adamw", "ScheduleFreeAdamW", elsewhere="schedulefree.AdamWScheduleFree"),
        Rule(
            "lamb",
            "LAMB",
            elsewhere="timm.optim.lamb.Lamb",
            theirs={"max_grad_norm": None},
            measured=("p", "g", "exp_avg", "exp_avg_sq"),
        ),
        Rule(
            "lars",
            "LARS",
            {"momentum": 0.9},
            elsewhere="timm.optim.lars.Lars",
            theirs={"always_adapt": True},
            measured=("p", "g"),
        ),
        Rule("stable-adamw", "StableAdamW", measured=("g", "exp_avg_sq")),
        Rule("prodigy", "Prodigy", elsewhere="prodigyopt.Prodigy", measured=("p", "g", "s", "p0"), kept=("p0",)),
    )
}
