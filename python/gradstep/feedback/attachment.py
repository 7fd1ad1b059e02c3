"""Schedules for optimizers of other libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradstep import rules
from gradstep.interop.scalars import shown
from gradstep.optimizers.display import never_raises
from gradstep.optimizers.scheduling import changes
from gradstep.rules.hyperparameters import Group, Hyperparameter
from gradstep.rules.rate_scale import SCALE, former_scales_kept, scale_of
from gradstep.schedules import Schedule, as_schedule
from gradstep.schedules.fields import count_or_zero

__all__ = ["Attachment", "attach"]

#: the numbers that are found in a tuple of a group, by their names
_MEMBERS = {
    name: place
    for rule in rules.ALL.values()
    for name, place in rule.hyperparameters().items()
    if place.index is not None
}


def attach(optimizer: Any, **hyperparameters: Any) -> Attachment:
    r"""Drive any torch optimizer with schedules: call ``step()`` after each ``optimizer.step()``.

    At t applied updates every given hyper-parameter is

    .. math:: h = s_h(t)

    and the rate is that times ``group["gradstep_scale"]`` where a `Plateau` has set it. Nothing of the
    optimizer is replaced or wrapped: the values are written into its groups, at once for t = 0 and then by ``step()``.
    A value that is a tensor is filled in place, so that a captured graph sees it; groups that share one have one value.
    A ``state_dict`` that the optimizer loads changes nothing of this. A schedule for all groups drives those that are
    added later too, from the next ``step()`` or ``seek()`` on.

    The optimizers of gradstep need none of this: they take schedules themselves.

    Args:
        optimizer: has ``param_groups``, a list of dicts, as torch's have.
        hyperparameters: a schedule (or a number) by the name of a key of the groups or, in a pair such as ``betas``, by
            ``beta1`` and ``beta2``; or a list with one for each group, None for a group to be left alone.

    Raises:
        TypeError, ValueError: the optimizer has no such groups (a Keras one), a name is in no group, a value is no
            schedule, a list is not as long as the groups, or groups share one tensor for two schedules.

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
    return Attachment(optimizer, hyperparameters)


class Attachment:
    """Schedules and the optimizer whose groups they write to; made by `attach`."""

    def __init__(self, optimizer: Any, hyperparameters: Mapping[str, Any]) -> None:
        _check_groups(optimizer)
        self.optimizer = optimizer
        self._schedules = {name: _given(each) for name, each in hyperparameters.items()}
        self.seek(0)

    @never_raises
    def __repr__(self) -> str:
        schedules = ", ".join(f"{name}={shown(each)}" for name, each in self._schedules.items())
        return f"Attachment({type(self.optimizer).__name__}, {schedules}; {self.updates} updates)"

    @property
    def param_groups(self) -> list[Group]:
        """The optimizer's groups as they are now: to load a ``state_dict`` replaces them."""
        groups: list[Group] = self.optimizer.param_groups
        return groups

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
            TypeError, ValueError: t is no integer of 0 or more, or the groups have changed so that a schedule lacks
                its place; nothing has been written.
        """
        updates = count_or_zero("t", t)
        due = self._due(updates)
        before = [(place, group, _copy(place.get(group))) for place, group, _ in due]
        try:
            for place, group, value in due:
                _put(place, group, value)
            self.updates = updates
        except BaseException:
            for place, group, value in before:
                _put(place, group, value)
            raise

    def state_dict(self) -> dict[str, Any]:
        """The number of updates and the schedules, as plain data."""
        return {
            "updates": self.updates,
            "scale": SCALE,
            "schedules": {
                f"{name} of group {i}": schedule.to_json()
                for name in self._schedules
                for i, schedule in enumerate(self._of_groups(name))
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

    def _due(self, updates: int) -> list[tuple[Hyperparameter, Group, float]]:
        """The values to write and their places, after all checks."""
        due = []
        for name in self._schedules:
            place, each = _place(name), self._of_groups(name)
            _refuse_shared(name, self.param_groups, each)
            for group, schedule in zip(self.param_groups, each, strict=True):
                if schedule is not None:
                    due.append((place, group, schedule(updates) * (scale_of(group) if name == "lr" else 1.0)))
        return due

    def _of_groups(self, name: str) -> list[Schedule | None]:
        """A hyper-parameter's schedule for each group: one that was given for all is also for those added since."""
        given, groups = self._schedules[name], self.param_groups
        each = given if isinstance(given, list) else [given] * len(groups)
        if len(each) != len(groups):
            raise ValueError(
                f"{name} has {len(each)} schedules for {len(groups)} groups: pass one, or None, for each; where a "
                "group has been added, attach again and seek(driver.updates)"
            )
        for group, schedule in zip(groups, each, strict=True):
            if schedule is not None and not _place(name).is_in(group):
                raise ValueError(f"the optimizer's groups have no {name}: they have {', '.join(_names_in(group))}")
        return each


def _check_groups(optimizer: Any) -> None:
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise TypeError(
            f"attach got a {type(optimizer).__name__}, which has no param_groups: it drives torch's optimizers and "
            "those like them, whose param_groups is a list of dicts. The rate of a Keras optimizer is "
            "optimizer.learning_rate: set that to schedule(t) after each update"
        )


def _given(value: Any) -> list[Schedule | None] | Schedule | None:
    if isinstance(value, list | tuple):
        return [None if each is None else as_schedule(each) for each in value]
    return None if value is None else as_schedule(value)


def _refuse_shared(name: str, groups: list[Group], each: list[Schedule | None]) -> None:
    """Raise ValueError where groups share one tensor that is to have two values."""
    holders: dict[int, tuple[int, Schedule | None, float]] = {}
    for i, (group, schedule) in enumerate(zip(groups, each, strict=True)):
        held = _place(name).get(group) if _place(name).is_in(group) else None
        if hasattr(held, "fill_"):
            scale = scale_of(group) if name == "lr" else 1.0
            first, *wanted = holders.setdefault(id(held), (i, schedule, scale))
            if wanted != [schedule, scale]:
                raise ValueError(
                    f"groups {first} and {i} share one tensor as their {name}, which can't have two values: give each "
                    "group a clone() of its own before attach"
                )


def _place(name: str) -> Hyperparameter:
    return _MEMBERS.get(name) or Hyperparameter(name)


def _names_in(group: Group) -> list[str]:
    pairs = [name for name, place in _MEMBERS.items() if place.is_in(group)]
    return [key for key in group if key != "params"] + pairs


def _copy(held: Any) -> Any:
    return held.clone() if hasattr(held, "fill_") else held


def _put(place: Hyperparameter, group: Group, value: Any) -> None:
    held = place.get(group)
    if hasattr(held, "fill_"):
        held.fill_(value)
    else:
        place.put(group, value)
