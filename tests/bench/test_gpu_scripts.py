"""The programs that bench/gpu.sh runs, on the emulated device and on what other programs would have written."""

import importlib
import json
import sys

import pytest

from support.compiling import ROOT
from support.devices import device_named

FOLDER = ROOT / "bench/gpu"


@pytest.fixture
def load(monkeypatch):
    """Import a program as it finds its neighbours."""
    monkeypatch.syspath_prepend(FOLDER)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) == str(FOLDER / f"{name}.py"):
            del sys.modules[name]


@pytest.fixture
def emulated():
    return device_named("emulated")


def test_first_looks(load, emulated):
    smoke = load("smoke")
    for check in smoke.CHECKS:
        check(emulated, 3) if check is smoke.the_last_block else check(emulated)


def test_a_first_look_that_fails_leaves_the_others(load, emulated, monkeypatch, capsys):
    smoke = load("smoke")

    def wrong(device):
        raise AssertionError("3 is not 4")

    monkeypatch.setattr(smoke, "CHECKS", (wrong, smoke.same_steps))
    monkeypatch.setattr(sys, "argv", ["smoke.py", "--device", "emulated"])
    assert smoke.main() == "failed: wrong"
    said = capsys.readouterr()
    assert said.out.splitlines() == ["failed wrong", "passed same_steps"]
    assert "3 is not 4" in said.err


def test_small_steps(load, emulated, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["small_steps.py", "cpu"])
    with emulated.stepping():
        load("small_steps").main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert not any("nan" in line for line in lines)


def test_large_steps(load, emulated, capsys):
    with emulated.stepping():
        load("large_steps").main("cpu")
    assert capsys.readouterr().out == "torch.float32 stepped\ntorch.bfloat16 stepped\n"


UPDATE = "void gradstep::cuda::update_kernel<gradstep::cuda::adam<float>, float>(gradstep::device_plan_view, int)"
FUSED = "void at::native::(anonymous namespace)::multi_tensor_apply_kernel<at::native::List<4> >(int)"


def trace_of(path, steps, *names, gap=2.0):
    """A wait, then steps of these kernels, of 10 us, 20 us and so on, with a gap before each."""
    at, events = 50_000.0, [{"cat": "kernel", "name": "at::cuda::spin_kernel(long)", "ts": 0.0, "dur": 50_000.0}]
    for _ in range(steps):
        for i, name in enumerate(names, start=1):
            at += gap
            events.append({"cat": "kernel", "name": name, "ts": at, "dur": 10.0 * i})
            at += 10.0 * i
    events += [
        {"cat": "cuda_runtime", "name": "cudaLaunchKernel", "ts": 1.0, "dur": 3.0},
        {"ph": "M", "name": "process"},
    ]
    path.write_text(json.dumps({"traceEvents": events[::-1]}))
    return path


def test_times_and_gaps(load, tmp_path):
    times = load("kernel_times")
    trace = trace_of(tmp_path / "trace.json", times.STEPS, UPDATE, FUSED)
    assert list(times.table(times.kernels_in(trace))) == [
        "     32.0 us from the first kernel to the end of the last, 30.0 us of it in kernels",
        "     10.0 us,    2.0 us after the one before: update_kernel<adam<float>, float>",
        "     20.0 us,    2.0 us after the one before: multi_tensor_apply_kernel<List<4> >",
    ]


def test_steps_that_differ_have_no_table(load, tmp_path):
    times = load("kernel_times")
    trace = trace_of(tmp_path / "trace.json", 1, UPDATE, FUSED)
    with pytest.raises(ValueError, match="2 kernels in 5 steps"):
        list(times.table(times.kernels_in(trace)))


def test_the_profiler_is_asked_for_each(load, emulated, tmp_path, capsys):
    """On the CPU there are no kernels; all else is as on a GPU."""
    times = load("kernel_times")
    with emulated.stepping():
        assert times.main(tmp_path / "traces", "cpu")
    assert (
        capsys.readouterr().out.count("failed: 0 kernels in 5 steps") == len(list((tmp_path / "traces").iterdir())) == 6
    )


JUNIT = """<testsuites><testsuite>
<testcase name="test_every_rule[cuda-AdamW-f32]"/>
<testcase name="test_every_dtype[cuda-schedule_free_adamw-f16-f16-param]"/>
<testcase name="test_every_layout[cuda-lars_nesterov-turned-f64]"><failure message="AssertionError: bits differ&#10;x"/></testcase>
<testcase name="test_every_rule[cuda-LARS-f32]"/>
<testcase name="test_copies[cuda-f64-f16-turned]"/>
<testcase name="test_every_rule[cuda-Lion-f32]"><skipped/></testcase>
</testsuite></testsuites>"""  # noqa: E501


def test_counts_by_rule(load, tmp_path):
    (tmp_path / "tests.xml").write_text(JUNIT)
    first, counts, *failed = load("summary").tests_by_rule(tmp_path)
    assert first.startswith("4 tests passed, 1 failed")
    assert counts == "adamw 0/1, lars 1/2, no rule of its own 0/1, schedulefreeadamw 0/1"
    assert failed == ["  test_every_layout[cuda-lars_nesterov-turned-f64]: ['AssertionError: bits differ']"]


NCU = """\
==PROF== Disconnected from process 77
  void gradstep::cuda::update_kernel<gradstep::cuda::adam<float>, float>(gradstep::device_plan_view, int) (3798, 1, 1)x(256, 1, 1), Context 1, Stream 7, Device 0, CC 9.0
    Section: GPU Speed Of Light Throughput
    ----------------------- ----------- ------------
    Metric Name             Metric Unit Metric Value
    ----------------------- ----------- ------------
    DRAM Frequency                  Ghz         2.61
    Duration                         us     1,231.49
    DRAM Throughput                   %        91.20
    ----------------------- ----------- ------------
"""  # noqa: E501


def test_counters(load, tmp_path):
    (tmp_path / "ncu.log").write_text(NCU)
    assert list(load("summary").counters(tmp_path)) == [
        "update_kernel<adam<float>, float>",
        "  Duration us 1,231.49",
        "  DRAM Throughput % 91.20",
    ]


def test_a_summary_of_long_logs_fits(load, tmp_path, capsys):
    summary = load("summary")
    names = ["environment", "smoke", *summary.SANITIZERS, "tests", "benchmark", "ncu"]
    (tmp_path / "parts.txt").write_text("".join(f"{name} 1 99 99.00 5.00\n" for name in names))
    (tmp_path / "COMMIT").write_text("c0ffee\n")
    for name in names:
        (tmp_path / f"{name}.log").write_text(f"{name} said this in a long line, " * 3 + "\n" + f"{name}\n" * 9999)
    (tmp_path / "ncu.log").write_text(NCU * 99)
    cases = [f'<testcase name="test[cuda-{i}]"><failure message="{"m" * 99}"/></testcase>' for i in range(999)]
    (tmp_path / "tests.xml").write_text(f"<testsuites>{''.join(cases)}</testsuites>")
    summary.main(tmp_path, tmp_path)
    said = capsys.readouterr().out
    assert 5000 < len(said) < 11_000
    assert "not to be had" not in said
    assert said.splitlines()[-1].split() == ["ncu", "99", "s", "failed", "(1)"]


def test_a_summary_of_nothing(load, tmp_path, capsys):
    (tmp_path / "parts.txt").write_text("environment 124 40 40.00 5.00\nsmoke 137 40 35.00 5.00\n")
    (tmp_path / "COMMIT").write_text("c0ffee\n")
    load("summary").main(tmp_path, tmp_path)
    said = capsys.readouterr().out
    assert "== tests\nnot to be had: FileNotFoundError" in said
    assert [" ".join(line.split()) for line in said.splitlines()[-2:]] == [
        "environment 40 s out of time, interrupted",
        "smoke 40 s out of time, killed",
    ]
