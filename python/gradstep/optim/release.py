"""Gradient release: each parameter is updated as soon as backward has its gradient, which is then freed.

With the option ``release=True`` no more than one gradient lives at a time, instead of one for each parameter. The
update is that of the ordinary step, bit for bit. ``step()`` is still to be called once after each backward pass: it
updates whatever has a ``.grad`` left (a parameter that was frozen when the optimizer was made) and lets the schedules
and ``stats()`` go on.

What must know all gradients before the first update can't go with it: ``clip_norm`` (but with ``clip_lagged=True`` it
clips by the norm of the update before), ``skip_nonfinite``, a GradScaler, ``accumulate``, a closure. A second backward
pass before ``step()`` is refused. If one parameter's update raises, others have been made.

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
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from gradstep.optim.torch_optimizer import TorchOptimizer

__all__ = ["Release"]


class Release:
    """The hooks on an optimizer's parameters; they go when the optimizer does, and no copy of it has them."""

    def __init__(self, optimizer: TorchOptimizer) -> None:
        self._optimizer = weakref.ref(optimizer)  # a parameter must not keep its optimizer alive
        self._indices: dict[torch.Tensor, int] = {}
        self._updated: set[torch.Tensor] = set()  # since the last step()
        self._handles: dict[torch.Tensor, Any] = {}
        weakref.finalize(optimizer, _remove, self._handles).atexit = False

    def watch(self, groups: list[dict[str, Any]]) -> None:
        """Hook the parameters of the groups that ask for it."""
        parameters = [parameter for group in groups for parameter in group["params"]]
        self._indices = {parameter: index for index, parameter in enumerate(parameters)}
        for group in groups:
            for parameter in group["params"] if group["release"] else ():
                if parameter.requires_grad and parameter not in self._handles:
                    self._handles[parameter] = parameter.register_post_accumulate_grad_hook(self._update)

    def check_step(self, closure: object, found_inf: object) -> None:
        """Raise ValueError or RuntimeError for a step that must have all gradients."""
        if closure is not None:
            raise ValueError(
                "a closure may run backward several times, and release=True updates in each: call backward, then "
                "step() without a closure"
            )
        if found_inf is not None:
            raise RuntimeError(
                "release=True has updated with the scaled loss before the scaler could look at the gradients: train "
                "without GradScaler (bfloat16 needs none), or without release"
            )

    def finish_step(self) -> None:
        """Let the next backward pass begin."""
        self._updated.clear()

    def _update(self, parameter: torch.Tensor) -> None:
        optimizer = self._optimizer()
        if optimizer is None:
            return
        index = self._indices[parameter]
        if parameter in self._updated:
            raise RuntimeError(
                f"parameter {index} has been updated since the last step(): with release=True call optimizer.step() "
                "after each backward pass; for several passes per update make the optimizer with accumulate instead"
            )
        optimizer._update_one(index, parameter)
        parameter.grad = None
        self._updated.add(parameter)


def _remove(handles: dict[torch.Tensor, Any]) -> None:
    for handle in handles.values():
        handle.remove()
