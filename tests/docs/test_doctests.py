"""The examples of the docstrings and of the README run as they stand."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import gradstep

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = [each.name for each in pkgutil.walk_packages(gradstep.__path__, "gradstep.") if "__main__" not in each.name]


@pytest.mark.parametrize("name", ["gradstep", *MODULES])
def test_module(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name), optionflags=OPTIONS).failed == 0


def test_readme() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    result = doctest.testfile(str(readme), module_relative=False, optionflags=OPTIONS)
    assert result.attempted > 0
    assert result.failed == 0
