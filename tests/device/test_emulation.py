"""The emulated device behaves like a device, and ends the process where a kernel would hang a device."""

import re
import shutil
import subprocess

import pytest

from support.compiling import ROOT, common_flags

LINE_OF = re.compile(r"tests/native/emulation\.cpp:(\d+)")

pytestmark = pytest.mark.slow  # it runs sanitizers itself


@pytest.fixture(scope="module", params=[[], ["-fsanitize=address,undefined"]], ids=["plain", "sanitized"])
def program(request, tmp_path_factory):
    if not (compiler := shutil.which("g++") or shutil.which("c++")):
        pytest.skip("no C++ compiler found")
    output = tmp_path_factory.mktemp("emulation") / "emulation"
    parts = [ROOT / f"cpp/cuda/emulation/{name}.cpp" for name in ("fiber", "grid", "runtime")]
    sources = [ROOT / "tests/native/emulation.cpp", *parts]
    flags = [*common_flags(), "-Wall", "-Wextra", "-Werror", "-DGS_TARGET=emulated", "-DGS_SCALAR", *request.param]
    subprocess.run([compiler, *flags, f"-I{ROOT / 'cpp'}", *sources, "-o", output], check=True, timeout=300)
    return output


def run(program, name):
    return subprocess.run([program, name], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", ["sums", "backwards", "shuffles", "capture", "refusals"])
def test_what_kernels_compute(program, name):
    ended = run(program, name)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "message", "at"),
    [
        ("missing barrier", r"not every thread comes to where this one waits: block 0 of 2, thread 0 of 96", "!= 7"),
        ("two barriers", r"another thread waits elsewhere: block 0 of 1, thread 48 of 96", "__syncthreads();"),
        ("divergence", r"not every thread comes to where this one waits: block 0 of 1, thread 1 of 96", "% 2"),
        ("mask", r"only the mask of a whole warp is known here: block 0 of 1, thread 0 of 96", "0xffff"),
    ],
)
def test_what_would_hang_says_where(program, name, message, at):
    ended = run(program, name)
    assert ended.returncode == -6
    assert re.search(f"emulated device: {message}, at ", ended.stderr)
    line = int(LINE_OF.search(ended.stderr).group(1))
    assert at in (ROOT / "tests/native/emulation.cpp").read_text().splitlines()[line - 1]
