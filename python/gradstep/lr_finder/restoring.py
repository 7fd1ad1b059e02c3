"""Put models, optimizers and random numbers of torch back as they were, bit for bit and in place."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gradstep.optimizers.step import Stepping

__all__ = ["restored"]

Restore = Callable[[], object]


@contextmanager
def restored(*things: Any) -> Iterator[None]:
    """A context after which things are as they were before, also where it is left by an exception.

    The same tensors get back the same bits, so that whatever refers to them may go on doing so.

    Args:
        things: modules (parameters, their gradients, buffers, training modes), torch optimizers (parameters, states,
            groups), GradScalers and DataLoaders (their generators), in any order; others are left alone. The random
            numbers of Python, NumPy and torch are put back too.

    >>> import torch
    >>> from gradstep.lr_finder.torch import restored
    >>> model = torch.nn.Linear(2, 1)
    >>> before = model.weight.detach().clone()
    >>> with restored(model):
    ...     _ = torch.nn.init.zeros_(model.weight)
    >>> torch.equal(model.weight, before)
    True
    """
    keepers = chain(_random_numbers(), _tensors(things), *(_own(thing) for thing in things))
    with ExitStack() as stack:
        for restore in list(keepers):
            stack.callback(restore)
        yield


def _random_numbers() -> Iterator[Restore]:
    yield partial(random.setstate, random.getstate())
    yield partial(np.random.set_state, np.random.get_state())
    yield partial(torch.set_rng_state, torch.get_rng_state())
    if torch.cuda.is_available():
        yield partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())


def _tensors(things: Iterable[Any]) -> Iterator[Restore]:
    """The values of all tensors, each once, and the gradients of those that have one."""
    held = {id(tensor): tensor for thing in things for tensor in _tensors_of(thing)}
    for tensor in held.values():
        yield _values(tensor)
        if tensor.is_leaf:
            yield partial(setattr, tensor, "grad", tensor.grad)
            if tensor.grad is not None:
                yield _values(tensor.grad)


def _tensors_of(thing: Any) -> Iterable[Tensor]:
    if isinstance(thing, nn.Module):
        return chain(thing.parameters(), thing.buffers())
    if isinstance(thing, torch.optim.Optimizer):
        parameters = chain.from_iterable(group["params"] for group in thing.param_groups)
        values = chain.from_iterable(each.values() for each in chain(thing.param_groups, thing.state.values()))
        return (each for each in chain(parameters, values) if isinstance(each, Tensor))
    return ()


def _values(tensor: Tensor) -> Restore:
    saved = tensor.detach().clone()

    def restore() -> None:
        with torch.no_grad():
            tensor.copy_(saved)

    return restore


def _own(thing: Any) -> Iterator[Restore]:
    """What a thing holds beside tensors."""
    if isinstance(thing, nn.Module):
        for module in thing.modules():
            yield _entries(module._buffers)
            yield partial(setattr, module, "training", module.training)
    elif isinstance(thing, torch.optim.Optimizer):
        if isinstance(thing, Stepping):
            yield thing._forget_plan  # the last, since an ExitStack goes backwards
        yield from map(_entries, [thing.state, *thing.param_groups])
    elif isinstance(thing, torch.amp.GradScaler):
        # not its state_dict, which lacks the stage that an interrupt leaves it in
        yield partial(vars(thing).update, copy.deepcopy(vars(thing)))
    else:
        for each in (thing, getattr(thing, "sampler", None)):
            if isinstance(generator := getattr(each, "generator", None), torch.Generator):
                yield partial(generator.set_state, generator.get_state())


def _entries(held: Any) -> Restore:
    """The entries of a dict, with the lists and dicts in it as they are now."""
    saved = {key: copy.copy(value) if isinstance(value, list | dict) else value for key, value in held.items()}

    def restore() -> None:
        held.clear()
        held.update(saved)

    return restore
