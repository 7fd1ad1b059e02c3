#!/usr/bin/env python3
"""Writes what follows from the names of the library: its stubs, and the list of optimizers in README.md.

Tools read names, arguments and types from the stubs, as Python makes the optimizers of their rules, and imports them,
when they are used. Run it in an environment that has gradstep and torch.
"""

import importlib
import json
import math
from collections.abc import Iterable, Iterator
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import gradstep
from gradstep import functional, optim, optimizers, rules
from gradstep.functional import standalone

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "python/gradstep"
HEAD = '"""Written by .ci/register.py."""'
TYPES = ["from collections.abc import Iterable", "from typing import Any, Literal, SupportsFloat"]


def _imports(module: str, names: Iterable[str], public: Iterable[str]) -> Iterator[str]:
    yield f"from {module} import ("
    yield from (f"    {name if name in public else f'{name} as {name}'}," for name in sorted(names))
    yield ")"


def _names(names: Iterable[str]) -> list[str]:
    return ["__all__ = [", *(f'    "{name}",' for name in names), "]"]


def _value(default: Any) -> str:
    if isinstance(default, str):
        return json.dumps(default)
    return "math.inf" if default == math.inf else repr(default)


def _argument(given: Parameter) -> str:
    text = str(given.replace(annotation=Parameter.empty, default=Parameter.empty))
    if given.annotation is not Parameter.empty:
        text += f": {given.annotation}"
    if given.default is not Parameter.empty:
        text += f" = {_value(given.default)}"
    return text


def _call(name: str, arguments: Iterable[Parameter], indent: str) -> Iterator[str]:
    """A function's signature, an argument a line."""
    yield f"{indent}def {name}("
    starred = False
    for each in arguments:
        starred = starred or each.kind is Parameter.VAR_POSITIONAL
        if each.kind is Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield f"{indent}    *,"
        yield f"{indent}    {_argument(each)},"
    yield f"{indent}) -> None: ..."


def _class(name: str, found: type[Any]) -> Iterator[str]:
    bases = [base.__name__ for base in found.__bases__ if base is not rules.ALL[name]]
    init: Any = found.__init__
    yield f"class {name}({', '.join(bases)}):"
    yield f'    """{found.__doc__.splitlines()[0]} See :class:`{rules.ALL[name].__module__}.{name}`."""'
    yield ""
    yield from _call("__init__", signature(init).parameters.values(), "    ")
    yield ""


def names_stub() -> str:
    """The stub of gradstep: where each of its names is."""
    homes: dict[str, list[str]] = {}
    for name in [*gradstep.__all__, *gradstep._FURTHER_MODULES]:
        home = "gradstep" if name in (*gradstep._MODULES, *gradstep._FURTHER_MODULES) else _home(name)
        homes.setdefault(home, []).append(name)
    lines = [HEAD, ""]
    for module in sorted(homes):
        lines += _imports(module, homes[module], gradstep.__all__)
    return "\n".join([*lines, "", "__version__: str", *_names(gradstep.__all__), ""])


def _home(name: str) -> str:
    if name in gradstep._SINGLE:
        return f"gradstep.{gradstep._SINGLE[name]}"
    wholes = (importlib.import_module(f"gradstep.{module}") for module in gradstep._WHOLE)
    return next(module.__name__ for module in wholes if name in module.__all__)


def optimizers_stub() -> str:
    """The stub of gradstep.optimizers."""
    lines = [HEAD, "", "import math", *TYPES, ""]
    lines += ["from gradstep.optimizers.arrays import ArrayOptimizer"]
    lines += ["from gradstep.optimizers.evaluation import EvaluationMode"]
    lines += ["from gradstep.schedules import Schedule", "", *_names(optimizers.__all__), ""]
    for name in rules.ALL:
        lines += _class(name, getattr(optimizers, name))
    return "\n".join(lines)


def optim_stub() -> str:
    """The stub of gradstep.optim."""
    lines = [HEAD, "", "import math", *TYPES, ""]
    lines += _imports("torch.optim", (name for name in optim.__all__ if name not in rules.ALL), optim.__all__)
    lines += ["", "from gradstep.optimizers.eager import EagerStates"]
    lines += ["from gradstep.optimizers.evaluation import EvaluationMode"]
    lines += ["from gradstep.optimizers.torch import TorchOptimizer", "from gradstep.schedules import Schedule", ""]
    lines += [*_names(optim.__all__), "", "def __getattr__(name: str) -> Any: ...", ""]
    for name in rules.ALL:
        lines += _class(name, getattr(optim, name))
    return "\n".join(lines)


def functional_stub() -> str:
    """The stub of gradstep.functional."""
    lines = [HEAD, "", "import math", TYPES[1], ""]
    lines += _imports("gradstep.functional.standalone", standalone.__all__, functional.__all__)
    lines += ["from gradstep.schedules import Schedule", "", *_names(functional.__all__), ""]
    for name in functional.__all__:
        if name not in standalone.__all__:
            lines += [*_call(name, signature(getattr(functional, name)).parameters.values(), ""), ""]
    return "\n".join(lines)


def readme() -> str:
    """README.md with the optimizers of today."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = ", ".join(f"`{name}`" for name in rules.ALL)
    before, start, rest = text.partition("<!-- optimizers -->")
    _, end, after = rest.partition("<!-- /optimizers -->")
    assert end, "README.md has lost the markers of its list of optimizers"
    return "".join([before, start, names, end, after])


def written() -> dict[Path, str]:
    """Every file that this writes, with its text."""
    return {
        LIBRARY / "__init__.pyi": names_stub(),
        LIBRARY / "optimizers/__init__.pyi": optimizers_stub(),
        LIBRARY / "optim/__init__.pyi": optim_stub(),
        LIBRARY / "functional/__init__.pyi": functional_stub(),
        ROOT / "README.md": readme(),
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
