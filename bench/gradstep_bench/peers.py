"""The other implementations of a rule: torch, timm, schedulefree, or a plain loop for a rule that they all lack."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from gradstep_bench import plain

__all__ = ["Maker", "find_peers"]

#: makes an optimizer from the parameters and the settings
Maker = Callable[..., torch.optim.Optimizer]

#: the implementations that an optimizer can be told to use, besides its default
_SWITCHES = ("foreach", "fused")


def find_peers(class_name: str, elsewhere: str, settings: Mapping[str, Any]) -> dict[str, Maker]:
    """The installed peers of a rule by the names of their implementations, the first's default before all others.

    Args:
        class_name: the rule's class in torch.optim, or in `plain`.
        elsewhere: module and class of a rule that torch lacks, such as "timm.optim.lion.Lion".
        settings: further arguments of that class.
    """
    own = getattr(torch.optim, class_name, None)
    if own is not None:
        return _ways("", own, {})
    found = _import(elsewhere) if elsewhere else None
    written = {"plain": getattr(plain, class_name)} if hasattr(plain, class_name) else {}
    return {**(_ways(elsewhere.partition(".")[0], found, settings) if found else {}), **written}


def _import(path: str) -> Any:
    """The class, or None if its package is not installed."""
    package, *inner, name = path.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    return getattr(_import_alone(spec, *inner) if inner else importlib.import_module(package), name)


def _import_alone(spec: ModuleSpec, folder: str, module: str) -> ModuleType:
    """A single module of timm.optim: the rest of timm needs a torchvision that fits torch, its optimizers do not."""
    alone = ModuleType(f"{spec.name}_{folder}")
    alone.__path__ = [str(Path(root, folder)) for root in spec.submodule_search_locations or ()]
    sys.modules.setdefault(alone.__name__, alone)
    return importlib.import_module(f"{alone.__name__}.{module}")


def _ways(library: str, found: Any, settings: Mapping[str, Any]) -> dict[str, Maker]:
    known = inspect.signature(found).parameters
    switches: dict[str, dict[str, bool]] = {name: {name: True} for name in _SWITCHES if name in known}
    if library and "foreach" in known:  # their defaults may be either implementation
        switches = {"for-loop": {"foreach": False}, **switches}
    else:
        switches = {"default": {}, **switches}
    return {f"{library} {way}".strip(): _maker(found, {**settings, **switch}) for way, switch in switches.items()}


def _maker(found: Any, fixed: Mapping[str, Any]) -> Maker:
    def make(params: Any, **settings: Any) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = found(params, **settings, **fixed)
        if hasattr(optimizer, "train"):  # schedulefree asks for it before the first step
            optimizer.train()
        return optimizer

    return make
