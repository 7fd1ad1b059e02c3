"""README.md is complete: what a user may call or pass stands in it, in code style."""

import inspect
import re
import typing
from pathlib import Path

import pytest

import gradstep
from gradstep import rules, schedules
from gradstep.rules.options import OPTION_DEFAULTS
from gradstep.schedules.base import Schedule

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
CODE = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", PROSE))))


def combines(kind: type) -> bool:
    """Whether it is made of other schedules: the README names the operators and methods that make it."""
    return any("Schedule" in str(hint) for hint in typing.get_type_hints(kind).values())


PUBLIC = {name: getattr(schedules, name) for name in schedules.__all__ if name != "Schedule"}
SCHEDULES = [name for name, value in PUBLIC.items() if not (isinstance(value, type) and combines(value))]
METHODS = [
    name
    for name, method in inspect.getmembers(Schedule, inspect.isfunction)
    if not name.startswith("_") and inspect.signature(method).return_annotation == "Schedule"
]


def test_the_lists_are_whole() -> None:
    assert {"CosineDecay", "Callable", "Units", "stages"} <= set(SCHEDULES)
    assert {"clip", "warmup", "then"} <= set(METHODS)


@pytest.mark.parametrize("name", [*rules.ALL, *OPTION_DEFAULTS, *SCHEDULES, *METHODS])
def test_the_readme_names(name: str) -> None:
    assert name in CODE


def test_the_readme_names_what_an_import_offers() -> None:
    assert set(gradstep.__all__) - set(schedules.__all__) - CODE == {"__version__"} & set(gradstep.__all__)
