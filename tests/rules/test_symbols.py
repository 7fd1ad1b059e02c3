"""The object files of the CPU targets share nothing that the linker could mix: of two equal inline functions it keeps
one, and the AVX-512 body would run on every machine."""

import functools
import re
import shutil
import subprocess
import sys

import pytest

from gradstep import _core
from support.compiling import ROOT, compile_object, target_flags

SOURCE = "cpp/host/simd/target.cpp"
#: functions of C that a compiler may call for plain code
OF_C = {"memcpy", "memset", "memmove", "fma", "fmaf", "sqrt", "sqrtf", "_GLOBAL_OFFSET_TABLE_"}

#: functions of the sanitizers, in object files that are built with them
OF_SANITIZERS = re.compile(b"__[at]san_init")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads ELF object files by nm")
each_target = pytest.mark.parametrize("target", _core.targets())


@pytest.fixture(scope="module")
def object_of(tmp_path_factory):
    """Gives a target's object file: the newest of a build that is no older than the sources, or else a fresh one."""
    parts = [*(ROOT / "cpp").rglob("*.h"), ROOT / SOURCE]
    sources = max(path.stat().st_mtime for path in parts)

    @functools.cache
    def find(target):
        built = ROOT.glob(f"build/**/gradstep_{target}.dir/{SOURCE}.o")
        fresh = [
            path for path in built if path.stat().st_mtime >= sources and not OF_SANITIZERS.search(path.read_bytes())
        ]
        if fresh:
            return max(fresh, key=lambda path: path.stat().st_mtime)
        if not (compiler := shutil.which("c++") or shutil.which("g++")):
            pytest.skip("no object files in build/ and no compiler to make them")
        output = tmp_path_factory.mktemp("objects") / f"{target}.o"
        return compile_object(compiler, target, ROOT / SOURCE, output, extra=["-fvisibility=hidden"])

    return find


def symbols(path):
    """Each symbol's kind, as nm has it, and its name in C++."""
    if not (nm := shutil.which("nm")):
        pytest.skip("nm not found")
    listed = subprocess.run([nm, "-C", path], check=True, capture_output=True, text=True).stdout.splitlines()
    return [(line[17], line[19:]) for line in listed]


def test_the_targets_of_the_build_are_those_of_its_description():
    assert set(_core.targets()) <= set(target_flags())


@each_target
def test_symbols_lie_in_the_targets_own_namespace(target, object_of):
    found = symbols(object_of(target))
    # weak and unique ones are what the linker merges; those that others see must not meet them either
    shared = [name for kind, name in found if kind in "VWvwuTDRBC"]
    assert len(shared) > 50
    assert not [name for name in shared if f"gradstep::{target}::" not in name]


@each_target
def test_nothing_is_taken_from_elsewhere(target, object_of):
    undefined = {name for kind, name in symbols(object_of(target)) if kind == "U"}
    assert undefined <= OF_C


@each_target
def test_nothing_runs_when_it_is_loaded(target, object_of):
    # Trap: a static initialiser of the AVX-512 object runs on machines without AVX-512.
    content = object_of(target).read_bytes()
    assert b".init_array" not in content
    assert b".ctors" not in content
    assert b"_GLOBAL__sub_I" not in content
