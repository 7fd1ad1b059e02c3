"""The two modes of the Schedule-Free optimizers, which evaluate at other parameters than they train."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from gradstep import _core
from gradstep.interop.devices import plan_for
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.step import Stepping
from gradstep.rules.hyperparameters import Group, read_switch
from gradstep.rules.options import NO_SOURCES, Sources

__all__ = ["EvaluationMode"]


class EvaluationMode(Stepping):
    """Switches the parameters in place between y, where gradients are taken, and their average x.

    The mode is stored in the groups as ``train_mode``, and so in a ``state_dict``.
    """

    momentum_name: ClassVar[str]

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        super().check(group, sources)
        if "train_mode" in group:
            read_switch(group, "train_mode")

    def eval(self) -> None:
        """Replace the parameters by the average x, to evaluate or to save. Does nothing in this mode."""
        self._change_mode(training=False)

    def train(self) -> None:
        """Replace the parameters by y, to continue training. Does nothing in this mode."""
        self._change_mode(training=True)

    def _complete_groups(self) -> None:
        super()._complete_groups()
        for group in self.param_groups:
            group.setdefault("train_mode", True)

    def _refuse_evaluation(self) -> None:
        if not all(map(_is_training, self.param_groups)):
            raise RuntimeError("the parameters hold their average, for evaluation: call train() before step()")
        super()._refuse_evaluation()

    def _change_mode(self, training: bool) -> None:
        self.catch_up()
        settings = [self._move(group, training) for group in self.param_groups]
        parameters = [group["params"] for group in self.param_groups]
        plan = plan_for([parameter for each in parameters for parameter in each])
        changed: list[_core.Entry] = [(group, "train_mode", training) for group in self.param_groups]
        ends = list(self._ends(training))
        plan.step(parameters, ends, [], settings, _core.StepSettings(get_num_threads()), updated=changed)

    def _move(self, group: Group, training: bool) -> _core.GroupSettings:
        """The settings of a move from x to y or from y to x, both of which lie on a line with z."""
        momentum = self._read(group, self.momentum_name)
        weight = 1 - momentum if training else 1 - 1 / momentum
        return _core.GroupSettings("interpolation", [weight], lr=0.0, weight_decay=0.0, options=_core.StepOptions())

    def _ends(self, training: bool) -> Iterator[Any]:
        """For each parameter the array z, or None if it need not move."""
        index = 0
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self._known_state(index, parameter) or {}
                yield state.get("z") if _is_training(group) != training else None
                index += 1


def _is_training(group: Group) -> bool:
    return bool(group.get("train_mode", True))
