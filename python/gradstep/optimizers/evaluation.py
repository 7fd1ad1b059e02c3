"""The two modes of optimizers that evaluate elsewhere than they train: the Schedule-Free ones."""

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
    """Moves the parameters between y, where gradients are taken, and their average x, in place.

    The mode is in the groups, as ``train_mode``, so that a ``state_dict`` tells with which of the two it was saved.
    """

    momentum_name: ClassVar[str]

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        super().check(group, sources)
        if "train_mode" in group:
            read_switch(group, "train_mode")

    def eval(self) -> None:
        """Put the average x in the place of the parameters, to evaluate or to save; nothing where it is there."""
        self._change_mode(training=False)

    def train(self) -> None:
        """Put y back in the place of the parameters, to go on with training; nothing where it is there."""
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
        """From x to y or from y to x: both lie on a line with z."""
        momentum = self._read(group, self.momentum_name)
        weight = 1 - momentum if training else 1 - 1 / momentum
        return _core.GroupSettings("interpolation", [weight], lr=0.0, weight_decay=0.0, options=_core.StepOptions())

    def _ends(self, training: bool) -> Iterator[Any]:
        """For each parameter the array z, or None where there is nothing to do."""
        index = 0
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self._known_state(index, parameter) or {}
                yield state.get("z") if _is_training(group) != training else None
                index += 1


def _is_training(group: Group) -> bool:
    return bool(group.get("train_mode", True))
