"""The saved states of a run's parts, and how they are restored."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradstep.checkpoint.randomness import without_arrays

__all__ = ["pieces", "put_back", "state_of"]


def state_of(part: Any) -> Any:
    """The state of an object. Plain data is returned as it is."""
    if hasattr(part, "state_dict"):
        return part.state_dict()
    if isinstance(part, np.random.Generator):
        return without_arrays(part.bit_generator.state)
    if isinstance(part, random.Random):
        return part.getstate()
    if _is_torchs("Generator", part):
        return part.get_state().numpy()
    return part


def pieces(parts: Mapping[str, Any], states: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Everything to change in place, with its new state: arrays first, then objects, which may raise errors.

    Raises:
        ValueError: a state is of another shape, dtype or length.
        TypeError: a part can't be changed in place.
    """
    found = [each for name, part in parts.items() for each in _pieces(name, part, states[name])]
    return sorted(found, key=lambda each: not _is_array(each[0]))


def put_back(part: Any, state: Any) -> None:
    """Restore one of the ``pieces`` from a result of ``state_of``."""
    if hasattr(part, "load_state_dict"):
        part.load_state_dict(state)
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    elif isinstance(part, random.Random):
        part.setstate(state)
    elif _is_torchs("Generator", part):
        part.set_state(sys.modules["torch"].as_tensor(state))
    elif isinstance(part, np.ndarray):
        part[...] = state
    else:
        part.detach().copy_(state)


def _pieces(name: str, part: Any, state: Any) -> Iterator[tuple[Any, Any]]:
    of_itself = hasattr(part, "load_state_dict") or isinstance(part, np.random.Generator | random.Random)
    if of_itself or _is_torchs("Generator", part):
        yield part, state
    elif _is_array(part):
        given = np.asarray(state) if isinstance(part, np.ndarray) else state
        _refuse_other(name, part, given)
        yield part, given
    elif isinstance(part, dict | list | tuple):
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        saved = list(state) if isinstance(state, dict) else list(range(len(state)))
        if keys != saved:
            raise ValueError(f"{name} holds {keys}, but {saved} was saved: give the same parts")
        for key in keys:
            yield from _pieces(f"{name}[{key!r}]", part[key], state[key])
    else:
        raise TypeError(
            f"{name} is a {type(part).__name__}, which can't be changed in place: leave it out and take it from what "
            "restore returns"
        )


def _refuse_other(name: str, array: Any, given: Any) -> None:
    if not hasattr(given, "shape"):
        raise ValueError(f"{name} is an array, but a {type(given).__name__} was saved: give the same parts")
    if given.shape != array.shape or given.dtype != array.dtype:
        raise ValueError(
            f"{name} has shape {tuple(array.shape)} and dtype {array.dtype}, but shape {tuple(given.shape)} and dtype "
            f"{given.dtype} was saved: make it as it was"
        )
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        raise ValueError(f"{name} is read-only: give an array that can be written to")


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray) or _is_torchs("Tensor", part)


def _is_torchs(kind: str, value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, getattr(torch, kind))
