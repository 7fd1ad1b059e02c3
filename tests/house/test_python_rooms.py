"""The rooms of the Python layer: a room imports from those below it, and no module needs itself to be imported."""

import ast
from graphlib import TopologicalSorter

import pytest

from support.compiling import ROOT

LIBRARY = ROOT / "python/gradstep"

#: from the bottom up; rooms of one floor know nothing of each other
FLOORS = (
    ("_core",),
    ("interop",),
    ("schedules",),
    ("rules",),
    ("optimizers",),
    ("functional", "optim", "feedback"),
    ("checkpoint", "convert", "logs", "lr_finder", "search", "tasks"),
    ("cli",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

#: what functions import: the methods of a base that make or show what derives from it, and what needs another package
INSIDE_FUNCTIONS = {
    "schedules.base": {"constant", "coupling", "description", "joining", "operators", "plot", "times", "warmup"},
    "schedules.value": {"changes", "serial"},
    "lr_finder.finder": {"figure"},  # matplotlib
    "convert.torch_optimizer": {"torch"},
    "interop.libraries": {"torch_tensors"},
    "cli": {"commands"},  # typer, rich
    "cli.commands": {"sheet"},  # matplotlib
}


def name_of(path):
    return ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in LIBRARY.rglob("*.py") if path.parent != LIBRARY} | {"_core": None}
READ = sorted(set(MODULES) - {"_core"})


def imported(statement):
    """The modules of the library that an import statement names."""
    if not isinstance(statement, ast.ImportFrom) or (statement.module or "").partition(".")[0] != "gradstep":
        return
    home = statement.module.removeprefix("gradstep").removeprefix(".")
    for alias in statement.names:
        below = f"{home}.{alias.name}".removeprefix(".")
        yield below if below in MODULES else home


def imports(name):
    """What a module imports when it is imported, and what its functions import."""
    at_once, later = set(), set()

    def walk(node, found):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
                continue
            found_here = later if isinstance(child, ast.FunctionDef) else found
            found_here |= set(imported(child))
            walk(child, found_here)

    walk(ast.parse(MODULES[name].read_text(encoding="utf-8")), at_once)
    return at_once, later


def room_of(name):
    return name.partition(".")[0]


def test_the_library_holds_rooms_alone():
    files = {path.name for path in LIBRARY.iterdir() if path.is_file() and path.suffix != ".so"}
    assert files == {"__init__.py", "__init__.pyi", "__main__.py", "_core.pyi", "py.typed"}
    assert {path.name for path in LIBRARY.iterdir() if path.is_dir()} - {"__pycache__"} == set(FLOOR) - {"_core"}


@pytest.mark.parametrize("name", READ)
def test_imports_point_downwards(name):
    for found in imports(name)[0]:
        assert room_of(found) == room_of(name) or FLOOR[room_of(found)] < FLOOR[room_of(name)], found


def test_no_module_needs_itself():
    graph = {name: imports(name)[0] - {name} for name in READ}
    # From outside, a module comes with its room's __init__.
    for found in graph.values():
        found |= {room_of(each) for each in found}
    for name, found in graph.items():
        found -= {room_of(name), name}
    assert tuple(TopologicalSorter(graph).static_order())


def test_what_functions_import():
    found = {name: {each.rpartition(".")[2] for each in imports(name)[1]} for name in READ}
    assert {name: later for name, later in found.items() if later} == INSIDE_FUNCTIONS
