"""A checkpoint as a file of NumPy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

__all__ = ["NumpyFormat"]

_PLAIN = (type(None), bool, int, float, str)


class NumpyFormat:
    """A zip of arrays for ``np.load(path, allow_pickle=False)``; ``structure`` is JSON text about all around them.

    An array is named by its way through the content: ``data/optimizer/state/0/exp_avg``. JSON knows no tuples, and no
    keys but text, so each container is written with its kind, and a dict as a list of pairs.
    """

    def pack(self, content: dict[str, Any]) -> Any:
        arrays: dict[str, Any] = {}
        structure = _take_apart(content, "data", arrays)
        return arrays | {"structure": np.array(json.dumps(structure))}

    def write(self, packed: Any, file: IO[bytes]) -> None:
        np.savez(file, **packed)

    def read(self, path: Path) -> dict[str, Any]:
        with np.load(path, allow_pickle=False) as arrays:
            content: dict[str, Any] = _put_together(json.loads(str(arrays["structure"])), arrays)
        return content


def _take_apart(value: Any, where: str, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        name = where if where not in arrays else f"{where}#{len(arrays)}"
        arrays[name] = value
        return {"array": [name, value.dtype.name]}
    if isinstance(value, dict):
        keys = [_take_apart(key, where, arrays) for key in value]
        values = [_take_apart(each, f"{where}/{key}", arrays) for key, each in value.items()]
        return {"dict": list(zip(keys, values, strict=True))}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_take_apart(each, f"{where}/{i}", arrays) for i, each in enumerate(value)]}
    raise TypeError(
        f"{where.removeprefix('data/')} is a {type(value).__name__}: a checkpoint of NumPy holds arrays, numbers, "
        "text, and dicts, lists and tuples of them; for tensors save to a path that ends in .pt"
    )


def _put_together(structure: Any, arrays: Mapping[str, Any]) -> Any:
    if not isinstance(structure, dict):
        return structure
    ((kind, held),) = structure.items()
    if kind == "array":
        return _with_dtype(arrays[held[0]], held[1])
    if kind == "dict":
        return {_put_together(key, arrays): _put_together(value, arrays) for key, value in held}
    items = [_put_together(each, arrays) for each in held]
    return tuple(items) if kind == "tuple" else items


def _with_dtype(array: Any, name: str) -> Any:
    """An array as it was saved: NumPy's files do not know the names of ml_dtypes."""
    if array.dtype.name == name:
        return array
    import ml_dtypes

    return array.view(getattr(ml_dtypes, name))
