"""What a part of a run is saved as, and how it gets that back."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np

from gradstep.checkpoint.randomness import without_arrays

__all__ = ["put_back", "state_of"]


def state_of(part: Any) -> Any:
    """The state of an object; plain data is its own."""
    if hasattr(part, "state_dict"):
        return part.state_dict()
    if isinstance(part, np.random.Generator):
        return without_arrays(part.bit_generator.state)
    if isinstance(part, random.Random):
        return part.getstate()
    if _is_torchs("Generator", part):
        return part.get_state().numpy()
    return part


def put_back(name: str, part: Any, state: Any) -> None:
    """Give ``part`` the state that ``state_of`` returned.

    Raises:
        ValueError: the state is of another shape, dtype or length.
        TypeError: the part is nothing that can be changed in place.
    """
    if hasattr(part, "load_state_dict"):
        part.load_state_dict(state)
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    elif isinstance(part, random.Random):
        part.setstate(state)
    elif _is_torchs("Generator", part):
        part.set_state(sys.modules["torch"].as_tensor(state))
    elif isinstance(part, np.ndarray) or _is_torchs("Tensor", part):
        _fill(name, part, state)
    elif isinstance(part, dict | list | tuple):
        _put_back_each(name, part, state)
    else:
        raise TypeError(
            f"{name} is a {type(part).__name__}, which can't be changed in place: leave it out and take it from what "
            "restore returns"
        )


def _put_back_each(name: str, part: Any, state: Any) -> None:
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    saved = list(state) if isinstance(state, dict) else list(range(len(state)))
    if keys != saved:
        raise ValueError(f"{name} holds {keys}, but {saved} was saved: give the same parts")
    for key in keys:
        put_back(f"{name}[{key!r}]", part[key], state[key])


def _fill(name: str, array: Any, state: Any) -> None:
    given = np.asarray(state) if isinstance(array, np.ndarray) else state
    if given.shape != array.shape or given.dtype != array.dtype:
        raise ValueError(
            f"{name} has shape {tuple(array.shape)} and dtype {array.dtype}, but shape {tuple(given.shape)} and dtype "
            f"{given.dtype} was saved: make it as it was"
        )
    if isinstance(array, np.ndarray):
        array[...] = given
    else:
        array.detach().copy_(given)


def _is_torchs(kind: str, value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, getattr(torch, kind))
