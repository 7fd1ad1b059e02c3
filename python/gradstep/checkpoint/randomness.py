"""The global random states of Python, NumPy and torch."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import numpy as np

__all__ = ["randomness", "set_randomness", "without_arrays"]


def randomness() -> dict[str, Any]:
    """The states of those libraries that are imported, as plain data."""
    states = {"python": random.getstate(), "numpy": without_arrays(np.random.get_state(legacy=False))}
    if torch := sys.modules.get("torch"):
        states["torch"] = torch.get_rng_state().numpy()
    return states


def set_randomness(states: dict[str, Any]) -> None:
    """Restore the states that ``randomness`` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    if "torch" in states:
        import torch

        torch.set_rng_state(torch.as_tensor(states["torch"]))


def without_arrays(state: Any) -> Any:
    """The state of a NumPy generator with lists instead of arrays, because torch can't save uint64 arrays."""
    return json.loads(json.dumps(state, default=np.ndarray.tolist))
