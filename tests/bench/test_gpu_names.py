"""Names in the scripts for a GPU exist in the tree: the scripts can't be run where files are moved."""

import importlib.util
import re

import pytest
from typer.main import get_command

from gradstep.cli.commands import app
from support.compiling import ROOT, cmake_text
from support.devices import Cuda

SCRIPTS = [
    path
    for pattern in ("gpu*.sh", "gpu/*.*", "tune/*.*")
    for path in sorted((ROOT / "bench").glob(pattern))
    if path.suffix in (".sh", ".py", ".cu", ".cuh", ".h", ".md")
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in SCRIPTS}
KERNELS = "\n".join(path.read_text() for path in (ROOT / "cpp").rglob("*.cu*"))


def named(pattern, *files):
    return sorted({(name, found) for name in files or TEXTS for found in re.findall(pattern, TEXTS[name])})


def one_by_one(found):
    return pytest.mark.parametrize(("script", "name"), found, ids=["-".join(each) for each in found])


def test_there_is_something_to_look_at():
    assert {"bench/gpu.sh", "bench/gpu_wheel.sh", "bench/gpu/smoke.py", "bench/gpu/environment.sh"} <= set(TEXTS)


@one_by_one(named(r"(?<![\w$/.}-])(?:bench|tests|cpp|python|\.ci)/[\w./-]*\w"))
def test_paths(script, name):
    assert (ROOT / name).exists()


@one_by_one(named(r'#include "(.*)"'))
def test_includes(script, name):
    assert any((folder / name).is_file() for folder in (ROOT / "cpp", (ROOT / script).parent))


@one_by_one(named(r"\$define\.(GRADSTEP_\w+)="))
def test_options_of_the_build(script, name):
    assert re.search(rf"^(option|set)\({name} ", cmake_text(), re.MULTILINE)


@one_by_one(named(r"(?:-m |\bimport |\bfrom )((?:gradstep|support)[\w.]*)"))
def test_modules(script, name):
    if name == Cuda.module:
        assert "gradstep_engine(cuda " in (ROOT / "cpp/cuda/CMakeLists.txt").read_text()
    else:
        assert importlib.util.find_spec(name)


def test_kernels():
    found = [kernel for _, each in named(r"regex:([\w|]+)") for kernel in each.split("|")]
    assert len(found) == 3
    for kernel in found:
        assert re.search(rf"__global__[^;{{]*\b{kernel}\(", KERNELS)
    [(_, namespace)] = named(r"kernel_substring=(\w+)")
    assert f"namespace {namespace}::" in KERNELS


def test_options_of_the_benchmark():
    [(_, line)] = named(r"-m gradstep (bench .*)", "bench/gpu.sh")
    command, *options = re.findall(r"(?<!\S)(?:bench|--\w+)", line)
    known = {option for param in get_command(app).commands[command].params for option in param.opts}
    assert options
    assert set(options) <= known
