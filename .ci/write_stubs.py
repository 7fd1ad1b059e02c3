#!/usr/bin/env python3
"""Writes python/gradstep/__init__.pyi, from which tools read gradstep's names: Python imports them when they are used.

Run it in an environment that has gradstep.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

import gradstep

STUB = Path(__file__).parents[1] / "python/gradstep/__init__.pyi"


def _imports(module: str, names: list[str]) -> Iterator[str]:
    yield f"from {module} import ("
    yield from (f"    {name if name in gradstep.__all__ else f'{name} as {name}'}," for name in names)
    yield ")"


def stub() -> str:
    """The text of the stub."""
    homes: dict[str, list[str]] = {}
    for name in [*gradstep.__all__, *gradstep._FURTHER_MODULES]:
        home = "gradstep" if name in (*gradstep._MODULES, *gradstep._FURTHER_MODULES) else _home(name)
        homes.setdefault(home, []).append(name)
    lines = ['"""Written by .ci/write_stubs.py."""', ""]
    for module in sorted(homes):
        lines += _imports(module, sorted(homes[module]))
    lines += ["", "__version__: str", "__all__ = ["]
    lines += [f'    "{name}",' for name in gradstep.__all__]
    return "\n".join([*lines, "]", ""])


def _home(name: str) -> str:
    if name in gradstep._SINGLE:
        return f"gradstep.{gradstep._SINGLE[name]}"
    wholes = (importlib.import_module(f"gradstep.{module}") for module in gradstep._WHOLE)
    return next(module.__name__ for module in wholes if name in module.__all__)


if __name__ == "__main__":
    STUB.write_text(stub())
