"""Description of arrays that the core can't read itself, and refusal of those that can't be used.

The core reads torch tensors (by DLPack's C exchange API and the functions of tensor_shim) and NumPy's native floats
itself. This module reads all others: ml_dtypes, older versions of torch, the buffer protocol, other libraries' DLPack.
It also says why an array can't be updated in place.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gradstep import _core
from gradstep.interop import tensor_shim
from gradstep.interop.rows import Rows
from gradstep.interop.scalars import is_masked

__all__ = [
    "HALVES",
    "Description",
    "as_numpy",
    "describe",
    "is_complex",
    "is_fake",
    "meet_type",
    "refuse_kind",
]

#: address, dtype (of the parts, if complex), whether it is complex, shape, strides in bytes, whether it is writable,
#: DLPack's type and number of the device, the object that keeps it alive
Description = tuple[int, str, bool, tuple[int, ...], tuple[int, ...], bool, tuple[int, int], object]

_CPU, _CUDA = 1, 2  #: DLPack's types of a device

#: the core's names of dtypes by the libraries' names, and the libraries' names of 16-bit dtypes by the core's
_NAMES = {library_name: name for name, library_name, _ in _core.formats() if library_name}
HALVES = {name: library_name for name, library_name, size in _core.formats() if library_name and size == 2}

#: by the libraries' name of a dtype: the core's name of it, or of a complex number's parts, and whether it is complex
_DTYPES = {
    **{library_name: (name, False) for library_name, name in _NAMES.items()},
    "complex128": ("f64", True),
    "complex64": ("f32", True),
    "complex32": ("f16", True),
}
_ALLOWED = f"{', '.join(_NAMES)}, complex128 and complex64"

_SPARSE = (
    "only gradients may be, as rows (gradstep.Rows, torch.sparse_coo), and only for SGD without momentum, Adagrad and "
    "SparseAdam, or with lazy_rows=True; pass .to_dense()"
)


def describe(array: Any, role: str) -> Description:
    """Describe an array's memory without copying it.

    Args:
        array: a NumPy array, a torch tensor, or an object with DLPack or the buffer protocol.
        role: the array's role in the step, with which messages begin: "the gradient of parameter 3".

    Raises:
        TypeError: it is not an array of a floating or complex dtype in host memory or on a CUDA device.
        ValueError: it can't be used in place.
    """
    if isinstance(array, Rows):
        raise TypeError(f"{role} is sparse (gradstep.Rows): {_SPARSE}")
    if type(array).__module__.partition(".")[0] == "torch" or hasattr(array, "untyped_storage"):
        return _describe_tensor(array, role)
    if hasattr(array, "__cuda_array_interface__"):
        return _describe_cuda(array, role)
    return _describe_numpy(as_numpy(array, role), role)


def is_complex(array: Any) -> bool:
    """Whether an array of any library has a complex dtype."""
    return "complex" in str(getattr(array, "dtype", ""))


def as_numpy(array: Any, role: str) -> np.ndarray[Any, Any]:
    """A NumPy array over the memory of an array in host memory."""
    if is_masked(array):
        raise TypeError(
            f"{role} is a masked array, and masks are not supported: pass .filled(0.0), or .data to ignore the mask"
        )
    if isinstance(array, np.ndarray):
        return array
    if type(array).__module__.partition(".")[0] == "pandas":
        raise TypeError(
            f"{role} is a pandas.{type(array).__name__}: pass .to_numpy(copy=True) of it, and write a parameter back "
            "from that array after the training"
        )
    if isinstance(array, np.generic | list | tuple | float | int):
        raise TypeError(
            f"{role} is a {type(array).__name__}, which can't be used in place: pass an array, numpy.asarray of it"
        )
    if hasattr(array, "__dlpack_device__") and (kind := int(array.__dlpack_device__()[0])) != 1:
        raise TypeError(
            f"{role} is on another device (DLPack device type {kind}): arrays are updated in the host's memory and on "
            "CUDA devices; move it to the CPU first"
        )
    torch = sys.modules.get("torch")
    if torch and isinstance(array, torch.Tensor):
        _refuse_lost(array, role)
    try:
        if torch and isinstance(array, torch.Tensor):
            return _tensor_as_numpy(array.detach())
        if hasattr(array, "__dlpack__"):
            return np.from_dlpack(array)
        return np.asarray(memoryview(array))
    except (TypeError, BufferError, RuntimeError, ValueError) as error:
        raise TypeError(
            f"{role} is a {type(array).__module__}.{type(array).__name__}, which offers neither DLPack nor the buffer "
            f"protocol for host memory ({error}): pass a NumPy array, a torch tensor or another array that does"
        ) from error


def _tensor_as_numpy(tensor: Any) -> np.ndarray[Any, Any]:
    import torch

    if tensor.dtype != torch.bfloat16:
        array: np.ndarray[Any, Any] = tensor.numpy()
        return array
    from ml_dtypes import bfloat16

    return np.asarray(tensor.view(torch.int16).numpy()).view(bfloat16)


def _describe_numpy(array: np.ndarray[Any, Any], role: str) -> Description:
    dtype = _read_dtype(array, role)
    if not array.dtype.isnative:
        raise TypeError(
            f"{role} has byte-swapped dtype {array.dtype.str}: convert it with .astype({array.dtype.name!r})"
        )
    if array.ndim > 64:
        raise ValueError(f"{role} has {array.ndim} dimensions: at most 64 are supported; reshape it")
    return array.ctypes.data, *dtype, array.shape, array.strides, array.flags.writeable, (_CPU, 0), array


def _read_dtype(array: Any, role: str) -> tuple[str, bool]:
    if array.dtype.name not in _DTYPES:
        raise TypeError(f"{role} has dtype {array.dtype}: allowed are {_ALLOWED}; convert it with .astype")
    return _DTYPES[array.dtype.name]


def _describe_cuda(array: Any, role: str) -> Description:
    """Describe an array of CuPy, or another with the CUDA array interface."""
    interface = array.__cuda_array_interface__
    dtype = _read_dtype(array, role)
    address, read_only = interface["data"]
    return address, *dtype, array.shape, array.strides, not read_only, (_CUDA, array.device.id), array


def refuse_kind(tensor: Any, role: str) -> None:
    """Raise for a torch tensor that can't be updated in place, wherever it lies.

    Args:
        tensor: a tensor of any layout, dtype and class.
        role: the tensor's role in the step, with which messages begin.

    Raises:
        TypeError, ValueError: it is a wrapper of other tensors, sparse, a lazy view, or has an unsupported dtype.
    """
    kind = type(tensor).__name__
    if hasattr(tensor, "to_local"):
        raise TypeError(
            f"{role} is a {kind}, a tensor over several processes: step its local part as a parameter, "
            "local = p.detach().to_local().requires_grad_(), and before each step set local.grad = p.grad.to_local()"
        )
    if str(tensor.layout) != "torch.strided":
        remedy = _SPARSE if tensor.device.type == "cpu" else "on a device gradients must be dense; pass .to_dense()"
        raise TypeError(f"{role} is sparse ({tensor.layout}): {remedy}")
    if _is_wrapper(tensor):
        raise ValueError(
            f"{role} is a {kind} without memory, a wrapper around other tensors: pass those tensors as parameters"
        )
    if str(tensor.dtype).removeprefix("torch.") not in _DTYPES:
        raise TypeError(f"{role} has dtype {tensor.dtype}: allowed are {_ALLOWED}; convert it with .to(dtype)")
    if tensor.is_neg() or tensor.is_conj():
        raise ValueError(f"{role} is a lazily negated or conjugated view: pass .resolve_neg().resolve_conj()")


def is_fake(tensor: Any) -> bool:
    """Whether a tensor has no data: on the meta device, or torch's FakeTensor."""
    fakes = sys.modules.get("torch._subclasses.fake_tensor")
    return bool(tensor.device.type == "meta" or (fakes and isinstance(tensor, fakes.FakeTensor)))


def _is_wrapper(tensor: Any) -> bool:
    handler = getattr(type(tensor), "__torch_dispatch__", None)
    if handler is sys.modules["torch"].Tensor.__torch_dispatch__ or is_fake(tensor):
        return False
    return bool(tensor.numel() and _tensor_address(tensor) == 0)


def _describe_tensor(tensor: Any, role: str) -> Description:
    """Describe a tensor that the exchange API did not export, or raise the reason for that."""
    _meet_torch(sys.modules["torch"])
    refuse_kind(tensor, role)
    if tensor.device.type not in ("cpu", "cuda"):
        raise TypeError(
            f"{role} is on {tensor.device}: tensors are updated on the CPU and on CUDA devices; move it with .cpu()"
        )
    address = _refuse_lost(tensor, role)
    bytes_each = tensor.element_size()
    strides = tuple(stride * bytes_each for stride in tensor.stride())
    device = (_CPU, 0) if tensor.device.type == "cpu" else (_CUDA, tensor.device.index)
    dtype = _DTYPES[str(tensor.dtype).removeprefix("torch.")]
    return address, *dtype, tuple(tensor.shape), strides, True, device, tensor


def _refuse_lost(tensor: Any, role: str) -> int:
    """The address of a tensor's elements. Raises ValueError if any of them has no memory."""
    address = _tensor_address(tensor)
    if address == 0 and tensor.numel() > 0:
        raise ValueError(
            f"{role} is a {type(tensor).__name__} without memory: its storage was freed or resized, or it is a fake "
            "tensor; restore it before the step"
        )
    return address


def _tensor_address(tensor: Any) -> int:
    """The address of its elements, or 0 if any of them has no memory."""
    try:
        available = tensor.untyped_storage().nbytes()
        last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
        needed = (tensor.storage_offset() + last + 1) * tensor.element_size()
        return int(tensor.data_ptr()) if needed <= available else 0
    except RuntimeError:  # a tensor without storage
        return 0


def meet_type(kind: type[Any]) -> bool:
    """Whether the methods of an array type run no Python code. The core asks this for each new type.

    With torch's first type the core is also given the functions of torch that it calls itself.
    """
    torch = sys.modules.get("torch")
    if torch is None or not issubclass(kind, torch.Tensor):
        return False
    _meet_torch(torch)
    overrides = getattr(kind, "__torch_function__", None)
    return kind is torch.Tensor or overrides is torch._C._disabled_torch_function_impl


def _meet_torch(torch: Any) -> None:
    _core.meet_torch(torch.Tensor, *_version_bump(), torch._C._len_torch_function_stack)
    shim = tensor_shim.find()
    if shim:
        _core.meet_tensor_shim(*shim)


@functools.cache
def _version_bump() -> tuple[Callable[[Any], None], bool]:
    """torch's function that increments version counters, and whether it takes a list; torch 2.4's takes one tensor."""
    bump = sys.modules["torch"]._C._increment_version
    try:
        bump([])
    except RuntimeError:
        return bump, False
    return bump, True
