"""Checkpoints as torch files."""

from __future__ import annotations

import operator
import re
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import IO, Any

import numpy as np

from gradstep.checkpoint.archive import marked, opened, refusing_depth, seal, unmarked
from gradstep.interop.scalars import is_masked, shown

__all__ = ["TorchFormat"]

_PLAIN = (type(None), bool, int, float, str)
_SIZED = re.compile(rb"(?:__builtin__|builtins)\s+bytearray")
_LOADABLE_DICTS = (dict, OrderedDict, Counter)


class TorchFormat:
    """The content as it is, for ``torch.load(path, weights_only=True)``; NumPy arrays become tensors."""

    def pack(self, content: dict[str, Any]) -> Any:
        with refusing_depth():
            return _packed(marked(content), "")

    def write(self, packed: Any, file: IO[bytes]) -> None:
        import torch

        torch.save(packed, file)
        seal(file)

    def read(self, path: Path) -> dict[str, Any]:
        import torch

        with opened(path) as (file, sealed):
            _refuse_sized(file)
            return unmarked(torch.load(file, map_location="cpu", weights_only=True), path, sealed)


def _refuse_sized(file: IO[bytes]) -> None:
    """Raise ValueError for a file that makes torch allocate an arbitrary amount of memory.

    A tensor takes as much as its bytes in the file, a bytearray as much as a number says. ``save`` writes no bytearray.
    """
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.filename.endswith("data.pkl"):
                del member.CRC  # torch may have left it out
                if _SIZED.search(archive.read(member)):
                    raise ValueError(f"{member.filename} makes a bytearray")
    file.seek(0)


def _packed(value: Any, where: str) -> Any:
    import torch

    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, torch.Tensor) or type(plain) in _PLAIN:
        return plain
    if isinstance(value, np.ndarray) and not is_masked(value):
        return _as_tensor(value, where)
    if isinstance(value, dict):
        return _packed_dict(value, where)
    if type(value) in (list, tuple):
        return type(value)(_packed(each, f"{where}/{i}") for i, each in enumerate(value))
    raise TypeError(
        f"{where.lstrip('/')} is a {type(value).__name__}: a checkpoint holds tensors, arrays, numbers, text, and "
        "dicts, lists and tuples of them"
    )


def _packed_dict(value: dict[Any, Any], where: str) -> dict[Any, Any]:
    keys = [_packed(key, f"a key of {where.lstrip('/')}") for key in value]
    values = [_packed(each, f"{where}/{key if isinstance(key, str) else shown(key)}") for key, each in value.items()]
    unchanged = all(map(operator.is_, (*keys, *values), (*value, *value.values())))
    # A model's state dict has an attribute that a new dict would not have.
    return value if unchanged and type(value) in _LOADABLE_DICTS else dict(zip(keys, values, strict=True))


def _as_tensor(array: np.ndarray[Any, Any], where: str) -> Any:
    import torch

    try:
        return torch.from_numpy(array)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{where.lstrip('/')} is an array that torch can't hold ({error}): save to a path that ends in .npz"
        ) from error
