"""A range test of a torch model, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from gradstep.lr_finder.finder import LRFinder
from gradstep.lr_finder.restoring import restored
from gradstep.optimizers.step import Stepping

__all__ = ["range_test", "restored"]

Batch = tuple[Any, Any]
LossFunction = Callable[[Any, Any], Tensor]


def range_test(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_function: LossFunction,
    loader: Iterable[Batch],
    *,
    finder: LRFinder | None = None,
    accumulate: int = 1,
    autocast: AbstractContextManager[Any] | None = None,
    scaler: torch.amp.GradScaler | None = None,
    validation: Iterable[Batch] | None = None,
) -> LRFinder:
    """Run a learning-rate range test on a model and restore everything.

    These are restored to the bit, even if the test raises or is interrupted: parameters, buffers and gradients of the
    model (and of a loss function that is a module), training modes, the optimizer's state and groups, the scaler, the
    random states of Python, NumPy and torch, and the generators of the loaders. `restored` does the same for your own
    loop.

    Args:
        model: the model to train. If it is in evaluation mode, the test puts it into training mode.
        optimizer: an optimizer of `gradstep.optim` or torch that needs no closure. The rate is that of its fastest
            group; the others keep their ratio to it (if all rates are 0, all groups get the rate). Schedules in its
            groups, and ``release``, are switched off during the test.
        loss_function: is called as ``loss_function(model(inputs), targets)`` and returns the mean loss of the batch.
        loader: yields pairs (inputs, targets) of tensors, which are moved to the model's device. It is restarted at its
            end.
        finder: the ramp. Default ``LRFinder()``. It is returned, with the losses.
        accumulate: the batches whose mean gradient makes one update. Default 1.
        autocast: the context of the forward pass, such as ``torch.autocast("cuda", torch.float16)``. Default None.
        scaler: the GradScaler that scales the loss and skips updates. Default None.
        validation: batches whose mean loss, in evaluation mode and without gradients, is used after each update.
            Default None: the loss of the next training batches.

    Raises:
        TypeError: the loader can be iterated only once.
        ValueError: the loader is empty, or `accumulate` is below 1.

    >>> import torch
    >>> from gradstep import LRFinder, optim
    >>> from gradstep.lr_finder.torch import range_test
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(64, 3)
    >>> loader = torch.utils.data.DataLoader(list(zip(x, x.sum(1, keepdim=True))), batch_size=16, shuffle=True)
    >>> model = torch.nn.Linear(3, 1)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> finder = range_test(model, optimizer, torch.nn.MSELoss(), loader, finder=LRFinder(1e-4, 100))
    >>> finder.stopped, 0.001 < finder.suggestion().steepest < 1
    ('diverged', True)
    """
    finder = finder or LRFinder()
    if accumulate < 1:
        raise ValueError(f"accumulate is {accumulate}: it counts the batches of one update and must be 1 or more")
    for name, batches in {"loader": loader, "validation": validation}.items():
        if hasattr(batches, "__next__"):
            raise TypeError(f"{name} is an iterator, whose batches would be used up: pass a DataLoader or a list")
    scaler = scaler or torch.amp.GradScaler(enabled=False)
    with restored(model, loss_function, optimizer, scaler, loader, validation):
        training = Training(model, optimizer, loss_function, scaler, autocast or nullcontext())
        batches = endless(loader)
        training.gradients(islice(batches, accumulate), accumulate)
        for rate in finder:
            training.update(rate)
            loss = training.gradients(islice(batches, accumulate), accumulate)
            finder.report(loss if validation is None else training.validate(validation))
    return finder


class Training:
    """Training of a model at given rates."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss_function: LossFunction,
        scaler: torch.amp.GradScaler,
        autocast: AbstractContextManager[Any],
    ) -> None:
        self.model, self.optimizer, self.loss_function = model, optimizer, loss_function
        self.scaler, self.autocast = scaler, autocast
        self.device = next(model.parameters()).device
        self.ratios = rate_ratios(optimizer)
        switch_off_schedules(optimizer)
        optimizer.zero_grad()
        if not model.training:  # in training mode already, a model may have layers that are frozen in evaluation mode
            model.train()

    def gradients(self, batches: Iterable[Batch], count: int) -> float:
        """Add up the gradients of the mean loss of `count` batches, and return that loss."""
        total = 0.0
        for batch in batches:
            loss = self._loss(batch) / count
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def update(self, rate: float) -> None:
        for group, ratio in zip(self.optimizer.param_groups, self.ratios, strict=True):
            group["lr"] = rate * ratio
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()

    @torch.no_grad()
    def validate(self, batches: Iterable[Batch]) -> float:
        modes = {module: module.training for module in self.model.modules()}
        self.model.eval()
        losses = [self._loss(batch).item() for batch in batches]
        for module, mode in modes.items():
            module.training = mode
        if not losses:
            raise ValueError("validation yields no batches: it must yield one or more")
        return sum(losses) / len(losses)

    def _loss(self, batch: Batch) -> Tensor:
        inputs, targets = (each.to(self.device) if isinstance(each, Tensor) else each for each in batch)
        with self.autocast:
            return self.loss_function(self.model(inputs), targets)


def rate_ratios(optimizer: torch.optim.Optimizer) -> list[float]:
    """Each group's rate divided by the highest one; 1 for all if all are 0, as at the start of a warmup."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    return [rate / max(rates) for rate in rates] if max(rates) else [1.0] * len(rates)


def switch_off_schedules(optimizer: torch.optim.Optimizer) -> None:
    """Make gradstep's optimizers use the rates in the groups, and update only in steps."""
    for group in optimizer.param_groups:
        group.pop("schedules", None)
        if "release" in group:
            group["release"] = False  # backward would update with the previous rate
    if isinstance(optimizer, Stepping):
        optimizer._forget_plan()


def endless(loader: Iterable[Batch]) -> Iterator[Batch]:
    """The batches of a loader, which is restarted at its end."""
    while True:
        batch = None
        for batch in loader:
            yield batch
        if batch is None:
            raise ValueError("loader yields no batches: it must yield one or more")
