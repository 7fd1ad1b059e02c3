"""The counts of a device, whose steps the host does not wait for, and their exchange with the groups.

A device skips updates depending on its own memory, and a captured CUDA graph makes updates unknown to the host. The
schedules' count of updates and the norm of the last gradients are therefore the device's. The groups show the host's
counts, and the device's in a ``state_dict``.
"""

from __future__ import annotations

from gradstep import _core
from gradstep.interop.devices import Plan
from gradstep.optimizers.scheduling import GroupSchedules, scheduled
from gradstep.rules.hyperparameters import Group, Places
from gradstep.rules.rate_scale import SCALE

__all__ = ["complete_counts", "counts_taken", "norm_entries", "refuse_capture", "start_counting", "take_counts"]


def complete_counts(group: Group) -> None:
    """Add the keys of the library's counts to a group whose options need them.

    A distributed checkpoint only loads keys that a new optimizer has. And ``gradstep_scale`` in a checkpoint shows that
    an ``lr_scale`` belongs to other code.
    """
    group.setdefault(SCALE, 1.0)
    if group["accumulate"] > 1:
        group.setdefault("accumulated", 0)
        group.setdefault("summed", 0)
    if group["clip_lagged"]:
        group.setdefault("last_norm", 0.0)


def start_counting(plan: Plan, groups: list[Group]) -> None:
    """Set a device's counts to those of the groups.

    Raises:
        ValueError: the groups count differently.
    """
    if isinstance(plan, _core.Plan):
        return
    counts = {group["updates"] for group in groups if scheduled(group)}
    if len(counts) > 1:
        raise ValueError(
            f"the groups' schedules are at {sorted(counts)} updates, but a device has one count for all: set "
            "group['updates'] to the same"
        )
    plan.start_from(max(counts, default=0), groups[0].get("last_norm", 0.0))


def take_counts(plan: Plan, groups: list[Group], schedules: list[GroupSchedules], places: Places) -> None:
    """Write a device's counts to the groups, after waiting for it. There may be groups without schedules yet.

    Raises:
        RuntimeError: a CUDA graph is being captured, during which waiting is impossible.
    """
    _core.write(counts_taken(plan, groups, schedules, places))


def counts_taken(plan: Plan, groups: list[Group], schedules: list[GroupSchedules], places: Places) -> list[_core.Entry]:
    """The entries that write a device's counts to the groups, see `take_counts`."""
    if isinstance(plan, _core.Plan):
        return []
    entries: list[_core.Entry] = []
    for i, group in enumerate(groups):
        if scheduled(group):
            known = i < len(schedules)
            shown, changes = (schedules[i] if known else GroupSchedules.of(group, places)).at(group, plan.updates())
            entries += [(group, key, value) for key, value in changes.items()]
            if known:
                entries.append((schedules, i, shown))
    if groups[0]["clip_lagged"]:
        entries += norm_entries(groups, plan.last_norm())
    return entries


def norm_entries(groups: list[Group], norm: object) -> list[_core.Entry]:
    """The entries that store the gradients' norm for ``clip_lagged``."""
    return [(group, "last_norm", norm) for group in groups]


def refuse_capture(plan: Plan, groups: list[Group], what: str, remedy: str) -> None:
    """Raise RuntimeError while a CUDA graph is captured on the stream of a step of these groups."""
    parameter = next((parameter for group in groups for parameter in group["params"]), None)
    if isinstance(plan, _core.DevicePlan) and parameter is not None and plan.is_capturing(parameter):
        raise RuntimeError(f"{what} while a CUDA graph is being captured, whose replays would not repeat it: {remedy}")
