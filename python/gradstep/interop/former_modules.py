"""Module names of earlier versions, which their pickles contain."""

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

__all__ = ["FORMER", "find_former_modules"]

#: the former names of modules whose classes are in pickles, and their present names
FORMER = {
    "gradstep.explore": "gradstep.feedback.explore",
    "gradstep.metric_scale": "gradstep.feedback.metric_scale",
    "gradstep.plateau": "gradstep.feedback.plateau",
}


class _FormerModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in FORMER else None

    def exec_module(self, module: ModuleType) -> None:
        present = importlib.import_module(FORMER[module.__name__])
        module.__getattr__ = functools.partial(getattr, present)  # type: ignore[method-assign]


def find_former_modules() -> None:
    """Make imports of former modules find the present ones."""
    sys.meta_path.append(_FormerModules())
