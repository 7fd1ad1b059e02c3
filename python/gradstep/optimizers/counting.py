"""What a device counts by itself, so that its steps wait for nobody, and the groups that start it and show it.

A device skips updates for what it finds in its own memory, and a captured CUDA graph makes them without a word to the
host. So the clock of the schedules and the norm of the last gradients are the device's; the groups show what the host
counts, and what the device counts where somebody asks for a whole state.
"""

from __future__ import annotations

from gradstep import _core
from gradstep.interop.devices import Plan
from gradstep.optimizers.scheduling import GroupSchedules, scheduled
from gradstep.rules.hyperparameters import Group, Places
from gradstep.rules.rate_scale import SCALE

__all__ = ["complete_counts", "counts_taken", "norm_entries", "refuse_capture", "start_counting", "take_counts"]


def complete_counts(group: Group) -> None:
    """Put what the library counts in a group there from the start, where the group has options that count.

    A distributed checkpoint is loaded by the keys that a new optimizer has. And by the factor of its own a group of a
    checkpoint tells that an ``lr_scale`` is somebody else's.
    """
    group.setdefault(SCALE, 1.0)
    if group["accumulate"] > 1:
        group.setdefault("accumulated", 0)
        group.setdefault("summed", 0)
    if group["clip_lagged"]:
        group.setdefault("last_norm", 0.0)


def start_counting(plan: Plan, groups: list[Group]) -> None:
    """Let a device go on from what the groups count.

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
    """Show in the groups what a device has counted; waits for it. Groups may have been added to those of the schedules.

    Raises:
        RuntimeError: a CUDA graph is being captured, and nothing can be waited for.
    """
    _core.write(counts_taken(plan, groups, schedules, places))


def counts_taken(plan: Plan, groups: list[Group], schedules: list[GroupSchedules], places: Places) -> list[_core.Entry]:
    """The entries that show in the groups what a device has counted; as `take_counts`."""
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
    """That notes the gradients' norm of the last update, for ``clip_lagged``."""
    return [(group, "last_norm", norm) for group in groups]


def refuse_capture(plan: Plan, groups: list[Group], what: str, remedy: str) -> None:
    """Raise RuntimeError while a CUDA graph is captured of the stream that a step of these groups would go to."""
    parameter = next((parameter for group in groups for parameter in group["params"]), None)
    if isinstance(plan, _core.DevicePlan) and parameter is not None and plan.is_capturing(parameter):
        raise RuntimeError(f"{what} while a CUDA graph is being captured, whose replays would not repeat it: {remedy}")
