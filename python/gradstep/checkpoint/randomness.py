"""The random states that every process has: Python's, NumPy's and torch's."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import numpy as np

__all__ = ["randomness", "set_randomness", "without_arrays"]


def randomness() -> dict[str, Any]:
    """The states of all that are imported, as plain data."""
    states = {"python": random.getstate(), "numpy": without_arrays(np.random.get_state(legacy=False))}
    if torch := sys.modules.get("torch"):
        states["torch"] = torch.get_rng_state().numpy()
    return states


def set_randomness(states: dict[str, Any]) -> None:
    """Go on from what ``randomness`` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    if "torch" in states:
        import torch

        torch.set_rng_state(torch.as_tensor(states["torch"]))


def without_arrays(state: Any) -> Any:
    """The state of a generator of NumPy with lists for its arrays, whose uint64 torch can't keep."""
    return json.loads(json.dumps(state, default=np.ndarray.tolist))
