"""bench/gpu.sh, rehearsed where there is no GPU: all that it calls fails, crashes and hangs in turn.

A minute on a GPU is worth more than any of the parts: none may take another along, or end without saying why.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile

import pytest

from compiling import ROOT

STAND_IN = ROOT / "tests/bench/stand_in.sh"
STANDS_FOR = ("python3", "nvidia-smi", "compute-sanitizer", "ncu", "timeout")
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
PARTS = (
    "environment",
    "install",
    "import",
    "smoke",
    "kernel_times",
    *SANITIZERS,
    "tests",
    "benchmark",
    "ncu",
    "summary",
)
#: of the machine that the script is for: what comes back from it
MOST_FILES, NAMES = 8, re.compile(r"[A-Za-z0-9._-]+")

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "timeout", "tar", "awk"))), reason="bash and the tools of GNU are not all here"
)


class Rehearsal:
    """What one run of the script printed, called and left behind; ``stand_in`` says how parts end."""

    def __init__(self, folder, stand_in="", *, wheels=True, **given):
        self.out, tools, cuda, calls = (folder / name for name in ("out", "tools", "cuda/bin", "calls"))
        for each in (tools, cuda):
            each.mkdir(parents=True)
        for name in STANDS_FOR:
            (tools / name).symlink_to(STAND_IN)
        (cuda / "nvcc").symlink_to(STAND_IN)  # found only where the script looks for it
        given |= {"OUT": self.out, "CUDA_HOME": cuda.parent, "CALLS": calls, "STAND_IN": stand_in}
        given |= {"REAL_PYTHON": sys.executable, "REAL_TIMEOUT": shutil.which("timeout")}
        given |= {"PATH": f"{tools}:{os.environ['PATH']}", "REAL_PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        if wheels and "WHEELS" not in given:
            given["WHEELS"] = wheels_in(folder / "wheels")
        environment = os.environ | {name: str(value) for name, value in given.items()}
        for name in ("OMP_WAIT_POLICY", "PYTHONPATH"):
            environment.pop(name, None)
        ended = subprocess.run(
            ["bash", ROOT / "bench/gpu.sh"], env=environment, capture_output=True, text=True, timeout=100, cwd=folder
        )
        self.status, self.printed, self.errors = ended.returncode, ended.stdout, ended.stderr
        self.calls = [shlex.split(line) for line in calls.read_text().splitlines()]

    @property
    def ended(self):
        """The status of each part, as its line says."""
        return {name: int(status) for name, status in re.findall(r"^(\w+) (\d+) \d+$", self.printed, re.MULTILINE)}

    def log(self, name):
        with tarfile.open(self.out / "logs.tgz") as archive:
            return archive.extractfile(f"logs/{name}.log").read().decode()


def wheels_in(folder, of_this_tree=True):
    folder.mkdir()
    (folder / "gradstep-0-py3-none-any.whl").touch()
    (folder / "COMMIT").write_text("c0ffee\n")
    name = "CMakeLists.txt"
    text = (ROOT / name).read_bytes() if of_this_tree else b"of another tree"
    (folder / "SOURCES").write_text(f"{hashlib.sha256(text).hexdigest()}  {name}\n")
    return folder


def assert_all_ran(run, *, failed=(), more=()):
    assert {name: status != 0 for name, status in run.ended.items()} == {
        name: name in failed for name in (*PARTS, *more)
    }
    assert run.status == (1 if failed else 0)
    last = run.printed.splitlines()[-1]
    assert not failed or (last.startswith("failed: ") and set(last.split()[1:]) == set(failed))


def assert_comes_back(run):
    files = [path for path in run.out.rglob("*") if path.is_file()]
    assert 0 < len(files) <= MOST_FILES
    for path in files:
        parts = path.relative_to(run.out).parts
        assert len(parts) <= 3
        assert all(map(NAMES.fullmatch, parts))
    assert len(run.printed) < 12_000


def test_all_goes_well(tmp_path):
    run = Rehearsal(tmp_path)
    assert_all_ran(run)
    assert run.errors == ""
    assert_comes_back(run)
    assert {path.name for path in run.out.iterdir()} == {"COMMIT", "summary.txt", "logs.tgz", "tests.xml"}
    for part in PARTS[:-1]:
        assert f"{part} speaks" in run.log(part)
        assert re.search(rf"^{part} +\d+ s  passed$", run.printed, re.MULTILINE)
    assert "1 tests passed, 0 failed" in run.printed
    assert "adamw 0/1" in run.printed
    assert ["nvcc", "--version"] in run.calls


def test_what_is_set_for_which_part(tmp_path):
    """Waits that are passive slow torch's fused steps down; a caching allocator hides what is out of bounds."""
    run = Rehearsal(tmp_path)
    [target] = [
        call[call.index("--target") + 1] for call in run.calls if call[:1] == ["python3"] and "--target" in call
    ]
    for part in PARTS[:-1]:
        policy, caching = "passive" if part == "tests" else "", "1" if part in SANITIZERS else ""
        said = f"{part} speaks\nOMP_WAIT_POLICY={policy}, PYTORCH_NO_CUDA_MEMORY_CACHING={caching}, {target}\n"
        assert said in run.log(part)


WAYS = {"fail": "failed (1)", "crash": "crashed"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", [part for part in PARTS if part not in ("install", "import", *SANITIZERS[1:])])
def test_a_part_that_fails_or_crashes(tmp_path, part, way):
    run = Rehearsal(tmp_path, f"{part}={way}")
    assert_all_ran(run, failed=[part])
    assert_comes_back(run)
    assert f"{part} speaks" in run.log(part)
    if part != "summary":
        said = WAYS["fail" if part == "environment" else way]  # which a script asks for, and goes on
        assert re.search(rf"^{part} +\d+ s  {re.escape(said)}$", run.printed, re.MULTILINE)
        assert f"{part} speaks" in run.printed
        assert (f"{part} is wrong" in run.printed) == (way == "fail")


HANGING = [part for part in PARTS if part not in ("install", "import")]


def test_parts_that_hang_are_interrupted(tmp_path):
    run = Rehearsal(tmp_path, " ".join(f"{part}=hang" for part in HANGING))
    assert_all_ran(run, failed=HANGING)
    assert_comes_back(run)
    for part in HANGING:
        assert run.ended[part] == 124
        assert f"{part} was interrupted" in run.log(part)


def test_parts_that_hang_and_are_deaf_are_killed(tmp_path):
    deaf = [part for part in HANGING if part != "summary"]
    run = Rehearsal(tmp_path, " ".join(f"{part}=deaf" for part in deaf))
    assert_all_ran(run, failed=deaf)
    for part in deaf:
        assert run.ended[part] == 137
        assert re.search(rf"^{part} +\d+ s  out of time, killed$", run.printed, re.MULTILINE)


@pytest.mark.parametrize("stand_in", ["install=fail", "import=crash", "install=hang", "stale"])
def test_a_wheel_of_no_use_is_built_there(tmp_path, stand_in):
    wheels = wheels_in(tmp_path / "wheels", of_this_tree=stand_in != "stale")
    run = Rehearsal(tmp_path, stand_in, WHEELS=wheels)
    assert len(list(filter(is_build, run.calls))) == 1
    if stand_in == "stale":
        assert f"the wheel in {wheels} was not made from this tree" in run.printed
        assert "CMakeLists.txt: FAILED" in run.log("sources")
        assert_all_ran(run, more=["build"])
    if stand_in == "import=crash":
        assert "smoke" not in run.ended
        assert run.printed.splitlines()[-1] == "failed: import import"
    assert_comes_back(run)


DEFINE = "--config-settings=cmake.define."


def is_build(call):
    return call[:4] == ["python3", "-m", "pip", "install"] and call[-1] == "."


def test_what_a_build_there_is_told(tmp_path):
    run = Rehearsal(tmp_path, wheels=False)
    [build] = filter(is_build, run.calls)
    options = dict(word.removeprefix(DEFINE).split("=", 1) for word in build if word.startswith(DEFINE))
    assert options["GRADSTEP_CUDA"] == "ON"
    assert options["GRADSTEP_WERROR"] == options["GRADSTEP_EMULATED"] == "OFF"
    assert "install" not in run.ended
    assert run.ended["build"] == run.status == 0


def test_nothing_runs_without_an_engine(tmp_path):
    run = Rehearsal(tmp_path, "build=fail", wheels=False)
    assert list(run.ended) == ["environment", "build", "summary"]
    assert "build is wrong" in run.printed
    assert run.printed.splitlines()[-1] == "failed: build"


def seconds_until_killed(run):
    """All limits with what comes after them; the sanitizers run beside the tests."""
    beside, total = 0, 0
    for call in run.calls:
        if call[0] == "timeout":
            assert call[1:4] == ["-s", "INT", "-k"]
            seconds = int(call[4]) + int(call[5])
            if "compute-sanitizer" in call or "pytest" in call:
                beside = max(beside, seconds)
            else:
                total += seconds
    return total + beside


def test_the_limits_fit_one_call(tmp_path):
    (tmp_path / "a").mkdir()
    with_wheel = Rehearsal(tmp_path / "a")
    assert 300 < seconds_until_killed(with_wheel) <= 450
    (tmp_path / "b").mkdir()
    stale = Rehearsal(tmp_path / "b", WHEELS=wheels_in(tmp_path / "stale", of_this_tree=False))
    assert 400 < seconds_until_killed(stale) <= 590


def test_the_commit_without_git(tmp_path):
    run = Rehearsal(tmp_path, GIT_DIR="/nonexistent")
    assert (run.out / "COMMIT").read_text() == "c0ffee\n"
    assert "== commit c0ffee" in run.printed


OUT_OF_TIME = """
import os, signal, time

def test_wrong():
    assert 2 == 3

def test_endless():
    time.sleep(1)  # until what is above has been heard of
    os.kill(os.getpgrp(), signal.SIGALRM)
    time.sleep(100)
"""


def test_pytest_out_of_time_says_what_failed(tmp_path):
    pytest.importorskip("xdist")
    tests = tmp_path / "test_there.py"
    tests.write_text(OUT_OF_TIME)
    run = Rehearsal(tmp_path, "tests=pytest", PYTEST_FILE=tests)
    assert run.ended["tests"] == 124
    assert "test_there.py::test_wrong - assert 2 == 3" in run.log("tests")
    assert "FAILED" in run.printed


def test_the_tests_that_it_picks(tmp_path):
    [call] = [call for call in Rehearsal(tmp_path).calls if call[:3] == ["python3", "-m", "pytest"]]
    number = call.index("-n") + 1
    options = [word for i, word in enumerate(call) if i not in (0, number - 1, number) and "junitxml" not in word]
    listed = subprocess.run(
        [sys.executable, *options, "--collect-only"], cwd=ROOT, capture_output=True, text=True, timeout=300
    ).stdout
    names = re.findall(r"^tests/\S+::.*", listed, re.MULTILINE)
    assert len(names) > 1500
    assert all("[cuda" in name or "test_cuda_bench" in name for name in names)
