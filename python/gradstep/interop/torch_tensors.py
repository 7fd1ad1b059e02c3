"""Making of state tensors on the parameter's device."""

from __future__ import annotations

from typing import Any

import torch

from gradstep.interop.arrays import HALVES

__all__ = ["TORCH", "Torch"]


class Torch:
    """A :class:`gradstep.interop.libraries.Library`."""

    def new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        dtype = parameter.dtype if like_parameter else _wide(parameter)
        fill = complex(value, value) if dtype.is_complex else value
        if shape is not None:
            return torch.full(shape, fill, dtype=dtype, device=parameter.device)
        return torch.full_like(parameter, fill, dtype=dtype, requires_grad=False, memory_format=torch.preserve_format)

    def new_copy(self, parameter: Any, dtype: str | None) -> Any:
        if dtype is None:
            chosen = _wide(parameter)
        else:
            chosen = parameter.dtype if dtype == "param" else getattr(torch, HALVES[dtype])
        return parameter.detach().to(chosen, copy=True, memory_format=torch.preserve_format)

    def new_number(self, parameter: Any, value: float, exact: bool) -> Any:
        dtype = torch.float64 if exact else torch.float32
        return torch.full((), float(value), dtype=dtype, device=parameter.device)

    def is_double(self, parameter: Any) -> bool:
        return parameter.dtype in (torch.float64, torch.complex128)

    def shape_of(self, parameter: Any) -> tuple[int, ...]:
        return tuple(parameter.shape)

    def assign(self, parameter: Any, values: Any) -> None:
        parameter.detach().copy_(torch.as_tensor(values))

    def copy_of(self, parameter: Any, value: Any) -> Any:
        return torch.as_tensor(value).detach().to(parameter.device, copy=True)


def _wide(parameter: Any) -> torch.dtype:
    return torch.promote_types(parameter.dtype, torch.float32)


TORCH = Torch()
