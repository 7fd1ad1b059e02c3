"""How torch makes arrays of state, on the parameter's device."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "Torch"]


class Torch:
    """A :class:`gradstep.libraries.Library`."""

    def new_array(self, parameter: Any, value: float, like_parameter: bool) -> Any:
        dtype = parameter.dtype if like_parameter or self.is_double(parameter) else torch.float32
        return torch.full_like(parameter, value, dtype=dtype, requires_grad=False, memory_format=torch.preserve_format)

    def new_copy(self, parameter: Any, dtype: str | None) -> Any:
        wide = torch.float64 if self.is_double(parameter) else torch.float32
        chosen = {None: wide, "param": parameter.dtype, "bf16": torch.bfloat16, "f16": torch.float16}[dtype]
        return parameter.detach().to(chosen, copy=True, memory_format=torch.preserve_format)

    def new_number(self, parameter: Any, value: float, exact: bool) -> Any:
        dtype = torch.float64 if exact else torch.float32
        return torch.full((), float(value), dtype=dtype, device=parameter.device)

    def is_double(self, parameter: Any) -> bool:
        return bool(parameter.dtype == torch.float64)

    def shape_of(self, parameter: Any) -> tuple[int, ...]:
        return tuple(parameter.shape)

    def assign(self, parameter: Any, values: Any) -> None:
        parameter.detach().copy_(torch.as_tensor(values))

    def copy_of(self, parameter: Any, value: Any) -> Any:
        return torch.as_tensor(value).detach().to(parameter.device, copy=True)


TORCH = Torch()
