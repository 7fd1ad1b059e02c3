"""The examples of the docstrings and of the README run as they stand."""

import doctest
import importlib
from pathlib import Path

import pytest

from support.compiling import ROOT

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PACKAGES = [ROOT / "python/gradstep", ROOT / "python/gradstep_demo", ROOT / "bench/gradstep_bench"]


def module_of(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


#: those that hold an example
MODULES = [
    module_of(path, package)
    for package in PACKAGES
    for path in sorted(package.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_module(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.attempted > 0
    assert result.failed == 0


def test_readme() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=OPTIONS)
    assert result.attempted > 0
    assert result.failed == 0
