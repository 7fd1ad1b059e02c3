"""The check of what the compiler says of each kernel, on logs as nvcc 13.0 writes them."""

import shutil
import subprocess
import sys

import pytest

from support.compiling import ROOT

PREPARE = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN8gradstep4cuda14prepare_kernelENS_16device_plan_viewENS_11device_stepEb' for 'sm_80'
ptxas info    : Function properties for _ZN8gradstep4cuda14prepare_kernelENS_16device_plan_viewENS_11device_stepEb
    408 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 98 registers, used 1 barriers, 408 bytes cumulative stack size, 521 bytes cmem[0], 832 bytes cmem[2]
ptxas info    : Compile time = 13248.732 ms
"""  # noqa: E501

UPDATE = """\
ptxas info    : Compiling entry function '_ZN8gradstep4cuda13update_kernelINS0_4adamIfEEfEEvNS_16device_plan_viewEi' for 'sm_90'
ptxas info    : Function properties for _ZN8gradstep4cuda13update_kernelINS0_4adamIfEEfEEvNS_16device_plan_viewEi
    {frame} bytes stack frame, {stores} bytes spill stores, {loads} bytes spill loads
ptxas info    : Used 40 registers, used 0 barriers
ptxas info    : Compile time = 2446.482 ms
ptxas info    : Function properties for _ZN8gradstep4cuda14strided_offsetERKNS_13device_layoutEl
    0 bytes stack frame, {called} bytes spill stores, {called} bytes spill loads
"""  # noqa: E501

FITS = {"frame": 0, "stores": 0, "loads": 0, "called": 0}

pytestmark = pytest.mark.skipif(not shutil.which("c++filt"), reason="c++filt, for the names in C++, not found")


def check(log):
    script = ROOT / ".ci/cuda_resources.py"
    return subprocess.run([sys.executable, script], input=log, capture_output=True, text=True, timeout=60)


def test_a_table_of_registers():
    ended = check(PREPARE + UPDATE.format(**FITS))
    assert (ended.returncode, ended.stderr) == (0, "")
    rows = [line.split() for line in ended.stdout.splitlines()]
    assert rows == [
        ["registers", "sm_80", "sm_90"],
        ["prepare_kernel", "98", "-"],
        ["update_kernel<adam<float>,", "float>", "-", "40"],
    ]


@pytest.mark.parametrize(
    ("usage", "message"),
    [
        ({"frame": 96}, "update_kernel<adam<float>, float> for sm_90: 96 bytes of local memory, 0 bytes spilled"),
        ({"stores": 344}, "update_kernel<adam<float>, float> for sm_90: 0 bytes of local memory, 344 bytes spilled"),
        ({"loads": 240}, "update_kernel<adam<float>, float> for sm_90: 0 bytes of local memory, 240 bytes spilled"),
        ({"called": 8}, "strided_offset for sm_90: 0 bytes of local memory, 16 bytes spilled"),
    ],
)
def test_what_is_refused(usage, message):
    ended = check(PREPARE + UPDATE.format(**FITS | usage))
    assert ended.returncode == 1
    assert ended.stderr.strip() == message


def test_a_log_of_nothing_is_refused():
    ended = check("ptxas info    : 0 bytes gmem\n")
    assert ended.returncode == 1
    assert "no kernel was compiled" in ended.stderr
