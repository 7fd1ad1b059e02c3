"""Schedules that drive an optimizer of another library, from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradstep.hyperparameters import HYPERPARAMETERS, Group, Hyperparameter
from gradstep.rate_scale import SCALE, former_scales_kept, scale_of
from gradstep.schedules import Schedule, as_schedule
from gradstep.schedules.fields import count_or_zero
from gradstep.scheduling import changes

__all__ = ["Attachment", "attach"]


def attach(optimizer: Any, **hyperparameters: Any) -> Attachment:
    r"""Drive any torch optimizer with schedules: call ``step()`` after each ``optimizer.step()``.

    At t applied updates every given hyper-parameter is

    .. math:: h = s_h(t)

    and the rate is that times ``group["gradstep_scale"]`` where a `Plateau` has set it. Nothing of the
    optimizer is replaced or wrapped: the values are written into its groups, at once for t = 0 and then by ``step()``.
    A value that is a tensor is filled in place, so that a captured graph sees it.

    The optimizers of gradstep need none of this: they take schedules themselves.

    Args:
        optimizer: has ``param_groups``, a list of dicts.
        hyperparameters: a schedule (or a number) by the name of a key of the groups or, in a pair such as ``betas``, by
            ``beta1`` and ``beta2``; or a list with one for each group, None for a group to be left alone.

    Raises:
        TypeError, ValueError: a name is in no group, a value is no schedule, or a list is not as long as the groups.

    >>> import torch, gradstep
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=1.0, momentum=0.9)
    >>> driver = gradstep.attach(optimizer, lr=gradstep.Linear(0.1, 0.0, 10), momentum=0.8)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     driver.step()
    >>> optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]
    (0.05, 0.8)
    """
    if not hyperparameters:
        raise TypeError("attach got no hyper-parameter: pass at least one, such as lr=gradstep.CosineDecay(0.1, 1000)")
    return Attachment(optimizer.param_groups, hyperparameters)


class Attachment:
    """Schedules and the groups that they write to; made by `attach`."""

    def __init__(self, groups: list[Group], hyperparameters: Mapping[str, Any]) -> None:
        self.param_groups = groups
        self._schedules = {name: _per_group(name, each, groups) for name, each in hyperparameters.items()}
        self.updates = 0
        self._write()

    def step(self, skipped: bool = False) -> None:
        """Count the update that the optimizer has made and write the values of the next one.

        Args:
            skipped: the optimizer made no update (a GradScaler found infinities): nothing moves. Default False.
        """
        if not skipped:
            self.seek(self.updates + 1)

    def seek(self, t: int) -> None:
        """Write the values for t applied updates, whatever they were before.

        Raises:
            TypeError, ValueError: t is no integer of 0 or more; nothing has been written.
        """
        self.updates = count_or_zero("t", t)
        self._write()

    def state_dict(self) -> dict[str, Any]:
        """The number of updates and the schedules, as plain data."""
        return {
            "updates": self.updates,
            "scale": SCALE,
            "schedules": {
                f"{name} of group {i}": schedule.to_json()
                for name, each in self._schedules.items()
                for i, schedule in enumerate(each)
                if schedule is not None
            },
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on at the saved number of updates.

        Raises:
            ValueError: it was saved with other schedules; nothing has been changed.
        """
        if changed := changes(state_dict["schedules"], self.state_dict()["schedules"]):
            raise ValueError(
                f"the state_dict was saved with other schedules (saved -> given):\n{changed}\n"
                "Attach the saved ones to go on with them, or call seek(state_dict['updates']) to go on with these."
            )
        if state_dict.get("scale") != SCALE:
            former_scales_kept(self.param_groups)
        self.seek(state_dict["updates"])

    def _write(self) -> None:
        due = [
            (group, name, schedule(self.updates))
            for name, each in self._schedules.items()
            for group, schedule in zip(self.param_groups, each, strict=True)
            if schedule is not None
        ]
        for group, name, value in due:
            _put(group, name, value)


def _per_group(name: str, given: Any, groups: Sequence[Group]) -> list[Schedule | None]:
    each = list(given) if isinstance(given, list | tuple) else [given] * len(groups)
    if len(each) != len(groups):
        raise ValueError(f"{name} has {len(each)} schedules for {len(groups)} groups: pass one, or None, for each")
    for group, schedule in zip(groups, each, strict=True):
        if schedule is not None and not _place(name).is_in(group):
            raise ValueError(f"the optimizer's groups have no {name}: they have {', '.join(_names_in(group))}")
    return [None if schedule is None else as_schedule(schedule) for schedule in each]


def _place(name: str) -> Hyperparameter:
    return HYPERPARAMETERS.get(name) or Hyperparameter(name)


def _names_in(group: Group) -> list[str]:
    pairs = [name for name, place in HYPERPARAMETERS.items() if place.index is not None and place.is_in(group)]
    return [key for key in group if key != "params"] + pairs


def _put(group: Group, name: str, value: float) -> None:
    if name == "lr":
        value *= scale_of(group)
    held = _place(name).get(group)
    if hasattr(held, "fill_"):
        held.fill_(value)
    else:
        _place(name).put(group, value)
