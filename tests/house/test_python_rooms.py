"""The rooms of the Python layer: a room imports from those below it, and no module needs itself to be imported."""

import ast
from collections import Counter
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
    "schedules.base": {"constant", "coupling", "description", "joining", "operators", "plot", "svg", "times", "warmup"},
    "schedules.value": {"changes", "serial"},
    "lr_finder.finder": {"figure"},  # matplotlib
    "convert.torch_optimizer": {"torch"},
    "interop.libraries": {"torch_tensors"},
    "cli": {"commands"},  # typer, rich
    "cli.commands": {"sheet"},  # matplotlib
}

#: the packages besides the library, which `gradstep demo` and `gradstep bench` use
SIBLINGS = {"gradstep_demo", "gradstep_bench"}


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
    """The imports of a module at import time, and those of its functions."""
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


def reached(tree):
    """The packages besides the library that the statements under a node import."""
    for node in ast.walk(tree):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from SIBLINGS & {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_only_the_commands_reach_the_packages_beside(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = Counter(reached(tree))
    if path != LIBRARY / "cli/commands.py":
        assert not found
        return
    assert set(found) == SIBLINGS
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    in_demo = Counter(each for name in ("demo", "_examples") for each in reached(functions[name]))
    assert in_demo["gradstep_demo"] == found["gradstep_demo"]
    assert Counter(reached(functions["bench"]))["gradstep_bench"] == found["gradstep_bench"]


def test_packages_of_the_wheel_hold_python_and_types_alone():
    assert 'wheel.exclude = ["**/*.md"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = [LIBRARY, LIBRARY.parent / "gradstep_demo", ROOT / "bench/gradstep_bench"]
    for package in packages:
        files = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {path.suffix for path in files - {package / "py.typed"}} <= {".py", ".pyi", ".so", ".md"}
        assert {package / "py.typed", package / "__init__.py"} <= files
