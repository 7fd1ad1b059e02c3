"""Restore torch models, optimizers and random states, bit for bit and in place."""

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
    """A context that restores objects at its end, even after an exception.

    The tensors stay the same objects and get back their bits.

    Args:
        things: modules (parameters, their gradients, buffers, training modes), torch optimizers (parameters, states,
            groups), GradScalers and DataLoaders (their generators), in any order; others are ignored. The random
            states of Python, NumPy and torch are restored too.

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
    """Restore the values of all tensors and their gradients, each once."""
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
    """The parts of an object that are not tensors."""
    if isinstance(thing, nn.Module):
        for module in thing.modules():
            yield _entries(module._buffers)
            yield partial(setattr, module, "training", module.training)
    elif isinstance(thing, torch.optim.Optimizer):
        if isinstance(thing, Stepping):
            yield thing._forget_plan  # called last, because an ExitStack runs backwards
        yield from map(_entries, [thing.state, *thing.param_groups])
    elif isinstance(thing, torch.amp.GradScaler):
        # not by its state_dict, which does not hold the stage of an interrupted step
        yield partial(vars(thing).update, copy.deepcopy(vars(thing)))
    else:
        for each in (thing, getattr(thing, "sampler", None)):
            if isinstance(generator := getattr(each, "generator", None), torch.Generator):
                yield partial(generator.set_state, generator.get_state())


def _entries(held: Any) -> Restore:
    """Restore the entries of a dict, with the present contents of its lists and dicts."""
    saved = {key: copy.copy(value) if isinstance(value, list | dict) else value for key, value in held.items()}

    def restore() -> None:
        held.clear()
        held.update(saved)

    return restore
