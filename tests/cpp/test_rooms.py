"""The rooms of the core and their floors, as the table of cpp/README.md gives them: includes point downwards, no engine
includes another, and only ``cpp/python`` knows Python."""

import re

import pytest

from compiling import ROOT

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
