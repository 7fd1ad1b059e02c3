"""Gradient release: each parameter is updated as soon as backward has its gradient, which is then freed.

With the option ``release=True`` no more than one gradient lives at a time, instead of one for each parameter. The
update is that of the ordinary step, bit for bit. ``step()`` is still to be called once after each backward pass: it
updates whatever has a ``.grad`` left (a parameter that was frozen when the optimizer was made) and lets the schedules
and ``stats()`` go on. A ``group["release"] = True`` that is written later holds from the next ``step()`` on, a False
at once.

What must know all gradients before the first update can't go with it: ``clip_norm`` (but with ``clip_lagged=True`` it
clips by the norm of the update before), ``skip_nonfinite``, a GradScaler, ``accumulate``. A second backward pass before
the end of ``step()``, or in its closure, is refused. If one parameter's update raises, others have been made: a note in
the exception says which (from Python 3.11 on). The ``step()`` that follows updates what has a gradient left and counts
that as one update, as if the parameters that were not reached had had no gradient in it.

Nor can it go with what reduces gradients over processes once backward has made them, such as
``DistributedDataParallel``, whose buckets hold all gradients anyway. Where ``torch.distributed`` is initialized, the
first backward pass therefore keeps its gradients to its end, and raises before any update if one of them was changed.

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
    """The hooks on an optimizer's parameters; they go when the optimizer does, and no copy of it has them."""

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
        """Hook the parameters of the groups that ask for it."""
        pairs = [(parameter, group) for group in groups for parameter in group["params"]]
        self._indices = {parameter: index for index, (parameter, _) in enumerate(pairs)}
        self._groups = dict(pairs)
        self._watched = {id(group): group for group in groups if group["release"]}
        for parameter, group in pairs:
            if group["release"] and parameter.requires_grad and parameter not in self._handles:
                self._handles[parameter] = parameter.register_post_accumulate_grad_hook(self._take)

    def watches(self, group: Group) -> bool:
        """Whether the group's parameters have been hooked."""
        return self._watched.get(id(group)) is group

    def unwatch(self, groups: list[Group]) -> None:
        """Let go of the groups' parameters."""
        for group in groups:
            for parameter in group["params"]:
                if handle := self._handles.pop(parameter, None):
                    handle.remove()

    def check_step(self, found_inf: object) -> None:
        """Raise RuntimeError for a step that must have all gradients."""
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
        """The entries that let the next backward pass begin."""
        return [(vars(self), "_updated", {})]

    def _take(self, parameter: torch.Tensor) -> None:
        """Take the gradient that backward has just made."""
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
        """Say in an exception what has been updated; before Python 3.11 it takes no notes."""
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
    """The first backward pass in a process of several: its gradients wait, to see whether somebody reduces them.

    Nothing tells in a parameter's hook that a DistributedDataParallel will change the gradient that is there.
    """

    def __init__(self, update: Callable[[torch.Tensor], None]) -> None:
        self._update = update
        self._over = False
        self._pass: int | None = None
        self._kept: dict[torch.Tensor, tuple[torch.Tensor | None, int]] = {}

    def keeps(self, parameter: torch.Tensor) -> bool:
        """Whether the parameter's gradient is to wait for the end of this pass; it is updated there."""
        if self._over or not _may_reduce():
            return False
        this_pass = torch._C._current_graph_task_id()
        if this_pass != self._pass:  # else it was broken off
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
    """Call a function at the end of the backward pass, after what others have asked for by then, round by round."""
    if rounds == 0:
        function()
    else:
        engine: Any = torch.autograd.Variable._execution_engine
        engine.queue_callback(lambda: _call_at_the_end(function, rounds - 1))


def _may_reduce() -> bool:
    """Whether this process is one of several, or may be."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _version(gradient: torch.Tensor | None) -> int:
    return -1 if gradient is None else gradient._version


def _remove(handles: dict[torch.Tensor, Any]) -> None:
    for handle in handles.values():
        handle.remove()
