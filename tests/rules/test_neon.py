"""The neon target, cross-compiled and run under emulation, gives the bits of the scalar one."""

import platform
import shutil
import subprocess

import pytest

from support.compiling import ROOT, compile_object

SOURCES = [ROOT / "cpp/host/simd/target.cpp", ROOT / "tests/native/digests.cpp"]
NATIVE = platform.machine() in ("aarch64", "arm64")
COMPILER = "g++" if NATIVE else "aarch64-linux-gnu-g++"
EMULATOR = None if NATIVE else "qemu-aarch64"

pytestmark = pytest.mark.slow


def digests(folder, compiler, target, emulator=None):
    objects = [compile_object(compiler, target, source, folder / f"{target}-{source.stem}.o") for source in SOURCES]
    program = folder / target
    static = ["-static"] if emulator else []
    subprocess.run([compiler, *objects, *static, "-o", program], check=True, timeout=300)
    run = [emulator, program] if emulator else [program]
    lines = subprocess.run(run, check=True, capture_output=True, text=True, timeout=300).stdout.splitlines()
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}


def test_neon_gives_the_bits_of_scalar(tmp_path):
    needed = ["g++", COMPILER, *([EMULATOR] if EMULATOR else [])]
    if missing := [name for name in needed if not shutil.which(name)]:
        pytest.skip(f"{' and '.join(missing)} not found")
    scalar = digests(tmp_path, "g++", "scalar")
    neon = digests(tmp_path, COMPILER, "neon", EMULATOR)
    assert len(set(scalar.values())) >= len(scalar) - 2  # they depend on what is computed
    assert neon == scalar
