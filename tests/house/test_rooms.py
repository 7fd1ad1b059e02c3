"""The rooms of the core and their floors, as the table of cpp/README.md gives them: includes point downwards, no engine
includes another, and only ``cpp/python`` knows Python."""

import re

import pytest

from gradstep.rules.options import OPTION_DEFAULTS
from support.compiling import ROOT

CPP = ROOT / "cpp"
SOURCES = sorted(path for path in CPP.rglob("*") if path.suffix in {".h", ".cpp", ".cu", ".cuh"})


def floors():
    """The floor of each room, by the rows `| floor | [room/](room) | ...` of the map."""
    rows = re.findall(r"^\| (\d+) \| \[(\w+)/\]\(\2\) \|", (CPP / "README.md").read_text(), re.MULTILINE)
    return {room: int(floor) for floor, room in rows}


def room_of(path):
    return path.relative_to(CPP).parts[0]


def includes(path):
    return re.findall(r'^\s*#include "([^"]+)"', path.read_text(), re.MULTILINE)


def test_the_map_names_every_room():
    assert set(floors()) == {path.name for path in CPP.iterdir() if path.is_dir()}


def test_no_source_lies_outside_of_a_room():
    assert [path.name for path in CPP.iterdir() if path.is_file()] == ["README.md"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CPP)))
def test_includes_point_downwards(path):
    floor = floors()
    room = room_of(path)
    for name in includes(path):
        assert (CPP / name).is_file(), f"{name} is not written from cpp/ on"
        other = name.split("/")[0]
        assert other == room or floor[other] < floor[room], f"{room}/ is not above {other}/: {name}"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if room_of(path) != "python"], ids=lambda path: str(path.relative_to(CPP))
)
def test_only_the_python_room_knows_python(path):
    assert not re.search(r"pybind11|Python\.h|\bPy_\w|\bPyObject\b", path.read_text())


#: names of the Python layer that are words of their own; beside the options
OF_THE_PYTHON_LAYER = {*OPTION_DEFAULTS, "state_dict", "catch_up", "grad_scale", "found_inf", "GRADSTEP_TARGET"}
#: options whose names are words of English too
WORDS = {"stats", "accumulate", "release", "foreach", "fused", "capturable", "differentiable", "cautious", "maximize"}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if room_of(path) != "python"], ids=lambda path: str(path.relative_to(CPP))
)
def test_messages_of_the_core_name_no_option(path):
    code = re.sub(r"//.*", "", path.read_text())
    messages = [text for text in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code) if " " in text.strip(" ,:")]
    named = re.compile(r"\b(" + "|".join(sorted(OF_THE_PYTHON_LAYER - WORDS)) + r")\b|=(?:True|False|None)\b")
    assert not [text for text in messages if named.search(text)]
