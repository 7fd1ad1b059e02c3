"""Gradient release: each parameter is updated as soon as backward has its gradient, which is then freed.

With the option ``release=True`` only one gradient exists at a time, instead of one for each parameter. The update is
that of the ordinary step, bit for bit. ``step()`` must still be called once after each backward pass: it updates
parameters that still have a ``.grad`` (those that were frozen when the optimizer was made) and advances the schedules
and ``stats()``. Setting ``group["release"] = True`` later takes effect from the next ``step()`` on, False at once.

Operations that need all gradients before the first update can't be combined with it: ``clip_norm`` (except with
``clip_lagged=True``, which clips by the norm of the previous update), ``skip_nonfinite``, a GradScaler, ``accumulate``.
A second backward pass before ``step()``, or in its closure, is refused. If the update of one parameter raises, others
have already been made: a note in the exception lists them (from Python 3.11 on). The next ``step()`` updates the
parameters that still have a gradient and counts all as one update, as if the other parameters had had no gradient.

Nor can it be combined with wrappers that reduce gradients over processes after backward, such as
``DistributedDataParallel``, whose buckets hold all gradients anyway. If ``torch.distributed`` is initialized, the first
backward pass therefore keeps all gradients until its end, and raises before any update if one of them was changed.

>>> import torch
>>> from gradstep import optim
>>> model = torch.nn.Linear(2, 1)
>>> opt = optim.Adam(model.parameters(), lr=0.1, clip_norm=1.0, clip_lagged=True, release=True)
>>> model(torch.ones(2)).sum().backward()
>>> model.weight.grad is None
True
>>> opt.step()
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from gradstep import _core
from gradstep.rules.hyperparameters import Group

if TYPE_CHECKING:
    from gradstep.optimizers.torch import TorchOptimizer

__all__ = ["Release"]

_REDUCED = "DistributedDataParallel and FSDP reduce gradients after that; make the optimizer without release"
_ROUNDS = 3  # DistributedDataParallel(static_graph=True) needs two


class Release:
    """The hooks on an optimizer's parameters. They are removed with the optimizer; copies of it have none."""

    def __init__(self, optimizer: TorchOptimizer) -> None:
        self._optimizer = weakref.ref(optimizer)  # a parameter must not keep its optimizer alive
        self._indices: dict[torch.Tensor, int] = {}
        self._groups: dict[torch.Tensor, Group] = {}
        self._watched: dict[int, Group] = {}
        self._updated: dict[torch.Tensor, bool] = {}  # since the last step()
        self._first_pass = _FirstPass(self._update)
        self._handles: dict[torch.Tensor, Any] = {}
        weakref.finalize(optimizer, _remove, self._handles).atexit = False

    def watch(self, groups: list[Group]) -> None:
        """Register hooks on the parameters of groups with ``release``."""
        pairs = [(parameter, group) for group in groups for parameter in group["params"]]
        self._indices = {parameter: index for index, (parameter, _) in enumerate(pairs)}
        self._groups = dict(pairs)
        self._watched = {id(group): group for group in groups if group["release"]}
        for parameter, group in pairs:
            if group["release"] and parameter.requires_grad and parameter not in self._handles:
                self._handles[parameter] = parameter.register_post_accumulate_grad_hook(self._take)

    def watches(self, group: Group) -> bool:
        """Whether the group's parameters have hooks."""
        return self._watched.get(id(group)) is group

    def unwatch(self, groups: list[Group]) -> None:
        """Remove the hooks of the groups' parameters."""
        for group in groups:
            for parameter in group["params"]:
                if handle := self._handles.pop(parameter, None):
                    handle.remove()

    def check_step(self, found_inf: object) -> None:
        """Raise RuntimeError for a step that needs all gradients."""
        if found_inf is not None:
            raise RuntimeError(
                "release=True has updated with the scaled loss before the scaler could look at the gradients: train "
                "without GradScaler (bfloat16 needs none), or without release"
            )
        for parameter in self._updated if _may_reduce() else ():
            if parameter.grad is not None:
                raise RuntimeError(
                    f"parameter {self._indices[parameter]} has a gradient again, after release=True has updated it in "
                    f"backward and freed that: {_REDUCED}. The parameters have been updated, the step was not counted"
                )

    def finishing(self) -> list[_core.Entry]:
        """The entries that allow the next backward pass."""
        return [(vars(self), "_updated", {})]

    def _take(self, parameter: torch.Tensor) -> None:
        """Use the gradient that backward has just computed."""
        if self._optimizer() is None or not self._groups[parameter]["release"]:
            return
        if parameter in self._updated:
            raise RuntimeError(
                f"parameter {self._indices[parameter]} has been updated since the last step(): with release=True call "
                "optimizer.step() after each backward pass; for several passes per update make the optimizer with "
                "accumulate instead"
            )
        try:
            if not self._first_pass.keeps(parameter):
                self._update(parameter)
        except BaseException as error:
            self._tell(error)
            raise

    def _tell(self, error: BaseException) -> None:
        """Add a note to an exception that lists the updated parameters; Python 3.10 has no notes."""
        if hasattr(error, "add_note"):
            updated = sorted(self._indices[parameter] for parameter in self._updated)
            error.add_note(
                f"release=True has updated parameters {updated} in this backward pass, and no others: step() updates "
                "what has a gradient left, counts that as one update and lets the next pass begin"
            )

    def _update(self, parameter: torch.Tensor) -> None:
        optimizer = self._optimizer()
        if optimizer is not None:
            counted: list[_core.Entry] = [(parameter, "grad", None), (self._updated, parameter, True)]
            optimizer._update_one(self._indices[parameter], parameter, counted)


class _FirstPass:
    """The first backward pass in one of several processes, which keeps its gradients to see whether they are reduced.

    A parameter's hook can't know that a DistributedDataParallel will still change the gradient.
    """

    def __init__(self, update: Callable[[torch.Tensor], None]) -> None:
        self._update = update
        self._over = False
        self._pass: int | None = None
        self._kept: dict[torch.Tensor, tuple[torch.Tensor | None, int]] = {}

    def keeps(self, parameter: torch.Tensor) -> bool:
        """Whether to keep the parameter's gradient until the end of this pass, which then updates the parameter."""
        if self._over or not _may_reduce():
            return False
        this_pass = torch._C._current_graph_task_id()
        if this_pass != self._pass:  # otherwise the last pass was interrupted
            self._pass, self._kept = this_pass, {}
            _call_at_the_end(self._finish, _ROUNDS)
        self._kept[parameter] = parameter.grad, _version(parameter.grad)
        return True

    def _finish(self) -> None:
        kept, self._kept, self._pass = self._kept, {}, None
        for parameter, known in kept.items():
            if parameter.grad is not known[0] or _version(parameter.grad) != known[1]:
                raise RuntimeError(
                    f"a gradient was changed after release=True would have updated with it: {_REDUCED}. Nothing has "
                    "been updated"
                )
        self._over = True
        for parameter in kept:
            self._update(parameter)


def _call_at_the_end(function: Callable[[], None], rounds: int) -> None:
    """Call a function at the end of the backward pass, after the callbacks of others, in several rounds."""
    if rounds == 0:
        function()
    else:
        engine: Any = torch.autograd.Variable._execution_engine
        engine.queue_callback(lambda: _call_at_the_end(function, rounds - 1))


def _may_reduce() -> bool:
    """Whether this process may be one of several."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _version(gradient: torch.Tensor | None) -> int:
    return -1 if gradient is None else gradient._version


def _remove(handles: dict[torch.Tensor, Any]) -> None:
    for handle in handles.values():
        handle.remove()
