"""Who else offers a rule: torch, timm, schedulefree, or a plain loop for a rule that none of them has."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from gradstep.bench import plain

__all__ = ["Maker", "find_peers"]

#: makes an optimizer of the parameters and the settings
Maker = Callable[..., torch.optim.Optimizer]

#: the ways that an optimizer can be told to take, beside its default
_SWITCHES = ("foreach", "fused")


def find_peers(class_name: str, elsewhere: str, settings: Mapping[str, Any]) -> dict[str, Maker]:
    """The installed peers of a rule by the names of their ways, the default of the first before all others.

    Args:
        class_name: the rule's in torch.optim, or in `plain`.
        elsewhere: module and class of a rule that torch has not, such as "timm.optim.lion.Lion".
        settings: what that class is to be given beside the rule's own.
    """
    own = getattr(torch.optim, class_name, None)
    if own is not None:
        return _ways("", own, {})
    found = _import(elsewhere) if elsewhere else None
    written = {"plain": getattr(plain, class_name)} if hasattr(plain, class_name) else {}
    return {**(_ways(elsewhere.partition(".")[0], found, settings) if found else {}), **written}


def _import(path: str) -> Any:
    """The class, or None where its package is not installed."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, RuntimeError):  # timm raises the latter for a torchvision that does not fit torch
        return None


def _ways(library: str, found: Any, settings: Mapping[str, Any]) -> dict[str, Maker]:
    known = inspect.signature(found).parameters
    switches: dict[str, dict[str, bool]] = {name: {name: True} for name in _SWITCHES if name in known}
    if library and "foreach" in known:  # their defaults may be the one or the other way
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
