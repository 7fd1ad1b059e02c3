"""Conversion of other libraries' schedules into schedules with the same values, and back to torch.

Each converter follows its library's conventions: where the end is reached, where a warmup begins, which value a
boundary has, and what comes after the end. Schedules that can't be converted raise errors that say what to do instead.
"""

from gradstep.convert.huggingface import from_hf
from gradstep.convert.keras import from_keras
from gradstep.convert.optax import from_optax
from gradstep.convert.plateau import from_plateau
from gradstep.convert.timm import from_timm
from gradstep.convert.torch import from_torch
from gradstep.convert.torch_optimizer import to_torch

__all__ = ["from_hf", "from_keras", "from_optax", "from_plateau", "from_timm", "from_torch", "to_torch"]
