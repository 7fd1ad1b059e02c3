"""The declarations of all rules: names, defaults, states and equations. Their arithmetic is in ``cpp/rules``.

``ALL`` has the class of each by its name. A rule is there with the file that declares it: the optimizers over arrays
and torch parameters, the functions of ``gradstep.functional`` and their stubs are made from ``ALL``.
"""

import importlib
import pkgutil
from collections.abc import Mapping

from gradstep.rules.base import Rule


def _declared_here() -> Mapping[str, type[Rule]]:
    """The rules that the modules of this package declare, in alphabetical order."""
    modules = [importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    found = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
    }
    del found["Rule"]  # of which they are
    return dict(sorted(found.items(), key=lambda item: item[0].casefold()))


ALL = _declared_here()
globals().update(ALL)
__all__ = ["ALL", *ALL]
