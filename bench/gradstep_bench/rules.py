"""The rules that are timed, and the peers of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from gradstep import optim, rules
from gradstep_bench.peers import Maker, find_peers

__all__ = ["GRADSTEP", "RULES", "Rule"]

GRADSTEP = "gradstep"


@dataclass(frozen=True)
class Rule:
    """An optimizer class with the given settings, otherwise at its defaults."""

    name: str
    class_name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: str = ""  # the class of another library, if torch has none
    theirs: Mapping[str, Any] = field(default_factory=dict)  # the settings of that class for the same results

    @property
    def in_torch(self) -> bool:
        return hasattr(torch.optim, self.class_name)

    @cached_property
    def makers(self) -> dict[str, Maker]:
        """The installed peers, by the names of their implementations."""
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


#: the rules that libraries other than torch have, and settings that are timed besides the defaults
_SPECIAL = (
    Rule("adan", "Adan", elsewhere="timm.optim.adan.Adan"),
    Rule("adopt", "ADOPT", elsewhere="timm.optim.adopt.Adopt", theirs={"clip_exp": 0.25}),
    Rule("lamb", "LAMB", elsewhere="timm.optim.lamb.Lamb", theirs={"max_grad_norm": None}),
    Rule("laprop", "LaProp", elsewhere="timm.optim.laprop.LaProp"),
    Rule("lars", "LARS", elsewhere="timm.optim.lars.Lars", theirs={"always_adapt": True, "momentum": 0.9}),
    Rule("lion", "Lion", elsewhere="timm.optim.lion.Lion"),
    Rule("nadamw", "NAdamW", elsewhere="timm.optim.nadamw.NAdamW"),
    Rule("prodigy", "Prodigy", elsewhere="prodigyopt.Prodigy"),
    Rule("schedule-free-adamw", "ScheduleFreeAdamW", elsewhere="schedulefree.AdamWScheduleFree"),
    Rule("schedule-free-sgd", "ScheduleFreeSGD", elsewhere="schedulefree.SGDScheduleFree"),
    Rule("sgd-momentum", "SGD", {"momentum": 0.9}),
)
#: over rows: on dense gradients it is Adam
_NOT_TIMED = frozenset({"SparseAdam"})


def _timed() -> Iterator[Rule]:
    """Every class at its defaults, under the name of the file that declares it, and the special settings."""
    named = {rule.class_name for rule in _SPECIAL if not rule.settings} | _NOT_TIMED
    for class_name, declared in rules.ALL.items():
        if class_name not in named:
            yield Rule(declared.__module__.rpartition(".")[2].replace("_", "-"), class_name)
    yield from _SPECIAL


RULES = {rule.name: rule for rule in sorted(_timed(), key=lambda rule: rule.name)}
