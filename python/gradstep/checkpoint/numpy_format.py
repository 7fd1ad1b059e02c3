"""Checkpoints as NumPy files."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from gradstep.checkpoint.archive import marked, opened, refusing_depth, seal, unmarked
from gradstep.interop.scalars import is_masked, shown

__all__ = ["NumpyFormat"]

_PLAIN = (type(None), bool, int, float, str)
_MOST_BITS = 10_000  # fewer digits than Python's limit for reading integers from text
_LONGEST_PART = 100
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class NumpyFormat:
    """A zip of arrays for ``np.load(path, allow_pickle=False)``. Everything else is JSON in the array ``structure``.

    An array is named by its path in the content: ``data/optimizer/state/0/exp_avg``. JSON has no tuples and only text
    as keys, so each container is written with its type, and a dict as a list of pairs.
    """

    def pack(self, content: dict[str, Any]) -> Any:
        arrays: dict[str, Any] = {}
        with refusing_depth():
            structure = _take_apart(marked(content), "data", arrays)
            return arrays | {"structure": np.array(json.dumps(structure))}

    def write(self, packed: Any, file: IO[bytes]) -> None:
        np.savez(file, **packed)
        seal(file)

    def read(self, path: Path) -> dict[str, Any]:
        with opened(path) as (file, sealed), zipfile.ZipFile(file) as archive:
            structure = json.loads(str(_read_array(archive, "structure")))
            return unmarked(_put_together(structure, archive), path, sealed)


def _read_array(archive: zipfile.ZipFile, name: str) -> Any:
    """Read an array of an archive. Its size is compared with its header before memory is allocated."""
    with archive.open(f"{name}.npy") as member:
        if read_header := _HEADERS.get(np.lib.format.read_magic(member)):
            shape, _, dtype = read_header(member)
            expected = member.tell() + math.prod(shape) * dtype.itemsize
            if expected != archive.getinfo(f"{name}.npy").file_size:
                raise ValueError(f"{name} has another size than its header says")
    with archive.open(f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _take_apart(value: Any, where: str, arrays: dict[str, Any]) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    if type(plain) in _PLAIN:
        return _checked_number(plain, where)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject and not is_masked(value):
        name = where if where not in arrays else f"{where}#{len(arrays)}"
        arrays[name] = value
        return {"array": [name, value.dtype.name]}
    if isinstance(value, dict):
        keys = [_take_apart(key, where, arrays) for key in value]
        values = [_take_apart(each, f"{where}/{_in_a_name(key)}", arrays) for key, each in value.items()]
        return {"dict": list(zip(keys, values, strict=True))}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_take_apart(each, f"{where}/{i}", arrays) for i, each in enumerate(value)]}
    raise TypeError(
        f"{where.removeprefix('data/')} is a {type(value).__name__}: a checkpoint of NumPy holds arrays, numbers, "
        "text, and dicts, lists and tuples of them; for tensors save to a path that ends in .pt"
    )


def _checked_number(value: Any, where: str) -> Any:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise TypeError(
            f"{where.removeprefix('data/')} is {shown(value)}, and a checkpoint of NumPy keeps {_MOST_BITS} of them: "
            "save it as text"
        )
    return value


def _in_a_name(key: Any) -> str:
    """A key as a part of an array's name: short, with characters that a zip archive can hold."""
    text = key if isinstance(key, str) else shown(key)
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_PART])


def _put_together(structure: Any, archive: zipfile.ZipFile) -> Any:
    if not isinstance(structure, dict):
        return structure
    ((kind, held),) = structure.items()
    if kind == "array":
        return _with_dtype(_read_array(archive, held[0]), held[1])
    if kind == "dict":
        return {_put_together(key, archive): _put_together(value, archive) for key, value in held}
    items = [_put_together(each, archive) for each in held]
    return tuple(items) if kind == "tuple" else items


def _with_dtype(array: Any, name: str) -> Any:
    """An array with its saved dtype: NumPy's files can't name the dtypes of ml_dtypes."""
    if array.dtype.name == name:
        return array
    import ml_dtypes

    return array.view(getattr(ml_dtypes, name))
