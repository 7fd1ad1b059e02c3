"""torch's C functions for compiled models, by which the core reads tensors.

Their binary interface is stable. Their handle is the address of the pointer within a tensor's Python object, whose
offset is found by comparison. If anything can't be found, or an answer differs from torch's methods, the core reads
tensors only through DLPack, which takes longer.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

__all__ = ["find"]

#: the names of the functions in the core's order, and the types of their answers
_ANSWERS: dict[str, Any] = {
    "data_ptr": ctypes.c_void_p,
    "dim": ctypes.c_int64,
    "sizes": ctypes.POINTER(ctypes.c_int64),
    "strides": ctypes.POINTER(ctypes.c_int64),
    "dtype": ctypes.c_int32,
    "storage_size": ctypes.c_int64,
    "storage_offset": ctypes.c_int64,
}


@functools.cache
def find() -> tuple[list[int], int] | None:
    """The functions' addresses and the handle's offset in a tensor's object; None if they can't be used."""
    torch = sys.modules["torch"]
    try:
        library = _library()
        functions = [getattr(library, f"aoti_torch_get_{name}") for name in _ANSWERS]
    except (OSError, AttributeError):
        return None
    with torch._C.DisableTorchFunction():
        samples = [
            torch.empty(5, 6, device="cpu")[1:, ::2],
            torch.empty(3, device="cpu", dtype=torch.bfloat16)[2:],
            torch.nn.Parameter(torch.empty(2, 0, 3, device="cpu")),
        ]
    offset = _handle_offset(torch._C.TensorBase, samples)
    if offset is None or not all(_agree(functions, offset, sample) for sample in samples):
        return None
    return [ctypes.cast(function, ctypes.c_void_p).value or 0 for function in functions], offset


def _library() -> Any:
    return ctypes.CDLL(sys.modules["torch"]._C.__file__)  # loaded already; its dependencies are searched too


def _handle_offset(base: type[Any], samples: list[Any]) -> int | None:
    for offset in range(object.__basicsize__, base.__basicsize__, ctypes.sizeof(ctypes.c_void_p)):
        if all(ctypes.c_void_p.from_address(id(each) + offset).value == each._cdata for each in samples):
            return offset
    return None


def _agree(functions: list[Any], offset: int, tensor: Any) -> bool:
    """Whether the functions agree with a tensor's methods."""
    answers = {name: kind() for name, kind in _ANSWERS.items()}
    handle = ctypes.c_void_p(id(tensor) + offset)
    errors = [
        function(handle, ctypes.byref(answer)) for function, answer in zip(functions, answers.values(), strict=True)
    ]
    return not any(errors) and {
        "data_ptr": answers["data_ptr"].value or 0,
        "dim": answers["dim"].value,
        "sizes": tuple(answers["sizes"][: tensor.ndim]),
        "strides": tuple(answers["strides"][: tensor.ndim]),
        "storage_size": answers["storage_size"].value,
        "storage_offset": answers["storage_offset"].value,
    } == {
        "data_ptr": tensor.data_ptr(),
        "dim": tensor.ndim,
        "sizes": tuple(tensor.shape),
        "strides": tensor.stride(),
        "storage_size": tensor.untyped_storage().nbytes(),
        "storage_offset": tensor.storage_offset(),
    }
