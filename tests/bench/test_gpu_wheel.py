"""bench/gpu_wheel.sh, with stand-ins for Python and nvcc: what it leaves behind, and what it refuses."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from gradstep import _core
from support.compiling import ROOT

PYTHON = """#!/usr/bin/env bash
set -eu
echo "$*" >>"$CALLS"
case "$*" in
  *'pip wheel'*) cp "$WHEEL" "$7/" && echo "$PTXAS" ;;
  *) exec "$REAL_PYTHON" "$@" ;;
esac
"""

NVCC = """#!/usr/bin/env bash
cp "$PROGRAM" "${@: -1}"
"""

PTXAS = """
ptxas info    : Compiling entry function '_ZN8gradstep4cuda13update_kernelEv' for 'sm_90'
ptxas info    : Function properties for _ZN8gradstep4cuda13update_kernelEv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 114 registers, used 1 barriers
"""

pytestmark = pytest.mark.skipif(
    not (all(map(shutil.which, ("bash", "git", "objdump", "c++filt"))) and (ROOT / ".git").exists()),
    reason="this is no copy of the repository, or git and the tools of GNU are not all here",
)


@pytest.fixture
def build(tmp_path):
    """Run the script; its Python makes a wheel that holds these files."""
    (tmp_path / "tools").mkdir()

    def write_tool(name, text):
        path = tmp_path / "tools" / name
        path.write_text(text)
        path.chmod(0o755)

    write_tool("python3.12", PYTHON)
    write_tool("nvcc", NVCC)

    def run(*names, objdump=None):
        with zipfile.ZipFile(tmp_path / "gradstep-1-cp312-cp312-linux_x86_64.whl", "w") as wheel:
            for name in names:
                wheel.write(_core.__file__, f"gradstep/{name}")
        if objdump:
            write_tool("objdump", f"#!/usr/bin/env bash\necho '{objdump}'\n")
        known = {"CALLS": tmp_path / "calls", "WHEEL": wheel.filename, "PTXAS": PTXAS, "REAL_PYTHON": sys.executable}
        known["PROGRAM"] = _core.__file__
        known["PATH"] = f"{tmp_path / 'tools'}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", ROOT / "bench/gpu_wheel.sh", tmp_path / "there"],
            env=os.environ | {name: str(value) for name, value in known.items()},
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


def test_what_lies_beside_the_wheel(build, tmp_path):
    ended = build("_core.so", "_cuda.cpython-312-x86_64-linux-gnu.so")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("gradstep-1-cp312-cp312-linux_x86_64.whl, ")
    there = tmp_path / "there"
    assert (there / "tune").exists()
    assert "update_kernel" in (there / "kernels.txt").read_text()
    assert (there / "COMMIT").read_text().strip()
    sources = there / "SOURCES"
    for name in ("CMakeLists.txt", "cpp/cuda/update.cuh", "python/gradstep/interop/devices.py"):
        assert f"  {name}\n" in sources.read_text()
    assert ".so\n" not in sources.read_text()
    assert subprocess.run(["sha256sum", "--check", "--quiet", sources], cwd=ROOT, check=False).returncode == 0
    told = (tmp_path / "calls").read_text()
    assert "cmake.define.CMAKE_CUDA_ARCHITECTURES=90-real" in told
    assert "-lineinfo" in told


def test_a_wheel_without_the_engine_is_refused(build):
    ended = build("_core.so")
    assert ended.returncode == 1
    assert "holds no gradstep/_cuda" in ended.stdout


def test_a_newer_library_than_the_machine_has_is_refused(build):
    ended = build("_cuda.cpython-312-x86_64-linux-gnu.so", objdump="0 DF *UND* (GLIBC_2.41) cos (GLIBC_2.4) sin")
    assert ended.returncode == 1
    assert "needs GLIBC_2.41, and the machine has GLIBC_2.39 at most" in ended.stdout
