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
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.compiling import ROOT

STAND_IN = ROOT / "tests/bench/stand_in.sh"
STANDS_FOR = ("python3", "nvidia-smi", "compute-sanitizer", "ncu")
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
    """The output, calls and files of one run of the script; ``stand_in`` says how its parts end.

    No part is to reach its limit by itself, however busy the machine is: ten times the limits are more than enough.
    """

    def __init__(self, folder, stand_in="", *, percent=1000, wheels=True, **given):
        self.out, tools, cuda, calls = (folder / name for name in ("out", "tools", "cuda/bin", "calls"))
        for each in (tools, cuda):
            each.mkdir(parents=True)
        for name in STANDS_FOR:
            (tools / name).symlink_to(STAND_IN)
        (cuda / "nvcc").symlink_to(STAND_IN)  # found only where the script looks for it
        given |= {"OUT": self.out, "CUDA_HOME": cuda.parent, "CALLS": calls, "STAND_IN": stand_in}
        given |= {"REAL_PYTHON": sys.executable, "REAL_PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        given |= {"PATH": f"{tools}:{os.environ['PATH']}", "LIMITS_PERCENT": percent}
        if wheels and "WHEELS" not in given:
            given["WHEELS"] = wheels_in(folder / "wheels")
        environment = os.environ | {name: str(value) for name, value in given.items()}
        for name in ("OMP_WAIT_POLICY", "PYTHONPATH"):
            environment.pop(name, None)
        ended = subprocess.run(
            ["bash", ROOT / "bench/gpu.sh"], env=environment, capture_output=True, text=True, timeout=600, cwd=folder
        )
        self.status, self.printed, self.errors = ended.returncode, ended.stdout, ended.stderr
        self.calls = [shlex.split(line) for line in calls.read_text().splitlines()]

    @property
    def ended(self):
        """The status of each part, as its line says."""
        return {name: int(status) for name, status, *_ in self._lines}

    @property
    def limits(self):
        """The seconds after which each part is killed, as its line says."""
        return {name: float(limit) + float(grace) for name, _, limit, grace in self._lines}

    @property
    def _lines(self):
        return re.findall(r"^(\w+) (\d+) \d+ ([\d.]+) ([\d.]+)$", self.printed, re.MULTILINE)

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


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    """A rehearsal in which nothing goes wrong, with the limits as they are."""
    return Rehearsal(tmp_path_factory.mktemp("well"), percent="")


def test_all_goes_well(well):
    assert_all_ran(well)
    assert well.errors == ""
    assert_comes_back(well)
    assert {path.name for path in well.out.iterdir()} == {"COMMIT", "summary.txt", "logs.tgz", "tests.xml"}
    for part in PARTS[:-1]:
        assert f"{part} speaks" in well.log(part)
        assert re.search(rf"^{part} +\d+ s  passed$", well.printed, re.MULTILINE)
    assert "1 tests passed, 0 failed" in well.printed
    assert "adamw 0/1" in well.printed
    assert ["nvcc", "--version"] in well.calls


def test_what_is_set_for_which_part(well):
    """Waits that are passive slow torch's fused steps down; a caching allocator hides what is out of bounds."""
    [target] = [
        call[call.index("--target") + 1] for call in well.calls if call[:1] == ["python3"] and "--target" in call
    ]
    for part in PARTS[:-1]:
        policy, caching = "passive" if part == "tests" else "", "1" if part in SANITIZERS else ""
        said = f"{part} speaks\nOMP_WAIT_POLICY={policy}, PYTORCH_NO_CUDA_MEMORY_CACHING={caching}, {target}\n"
        assert said in well.log(part)


WAYS = {"fail": "failed (1)", "crash": "crashed"}
RUNNING = [part for part in PARTS if part not in ("install", "import")]
APART = [part for part in RUNNING if part != "summary"]


@pytest.mark.parametrize(("fails", "crashes"), list(zip(APART, [*APART[1:], APART[0]], strict=True)))
def test_a_part_that_fails_and_one_that_crashes(tmp_path, fails, crashes):
    run = Rehearsal(tmp_path, f"{fails}=fail {crashes}=crash")
    assert_all_ran(run, failed=[fails, crashes])
    assert_comes_back(run)
    for part, way in ((fails, "fail"), (crashes, "crash")):
        said = WAYS["fail" if part == "environment" else way]  # which a script asks for, and goes on
        assert re.search(rf"^{part} +\d+ s  {re.escape(said)}$", run.printed, re.MULTILINE)
        assert f"{part} speaks" in run.log(part)
        assert f"{part} speaks" in run.printed
        assert (f"{part} is wrong" in run.printed) == (way == "fail")


@pytest.mark.parametrize("way", WAYS)
def test_a_summary_that_fails_or_crashes(tmp_path, way):
    run = Rehearsal(tmp_path, f"summary={way}")
    assert_all_ran(run, failed=["summary"])
    assert_comes_back(run)
    assert "summary speaks" in run.log("summary")


def rehearse_out_of_time(folder, stand_in, percent, is_as_expected, **given):
    """With limits that short parts are to reach them.

    On a busy machine others may reach them too, or graces end too soon: then once more, with longer ones.
    """
    for longer in (1, 3, 10, 30):
        run = Rehearsal(folder / str(longer), stand_in, percent=longer * percent, **given)
        if is_as_expected(run):
            break
    return run


A_TEST_THAT_HANGS = """
import time

def test_wrong():
    assert 2 == 3

def test_endless():
    time.sleep(1000)
"""


def were_interrupted(run):
    return all(run.ended.get(part) == 124 and f"{part} was interrupted" in run.log(part) for part in RUNNING)


def were_killed(run):
    return all(run.ended.get(part) == 137 for part in RUNNING)


def said_what_failed(run):
    return run.ended.get("tests") == 124 and "test_there.py::test_wrong - assert 2 == 3" in run.log("tests")


@pytest.fixture(scope="module")
def out_of_time(tmp_path_factory):
    """Rehearsals in which parts hang, all at the same time, since they do little but wait."""
    folder = tmp_path_factory.mktemp("out_of_time")
    tests = folder / "test_there.py"
    tests.write_text(A_TEST_THAT_HANGS)
    rehearsals = {
        "hang": (" ".join(f"{part}=hang" for part in RUNNING), 2, were_interrupted),
        "deaf": (" ".join(f"{part}=deaf" for part in RUNNING), 2, were_killed),
        "pytest": ("tests=pytest", 7, said_what_failed),
    }
    with ThreadPoolExecutor(len(rehearsals)) as pool:
        runs = {
            name: pool.submit(rehearse_out_of_time, folder / name, *each, PYTEST_FILE=tests)
            for name, each in rehearsals.items()
        }
    return {name: run.result() for name, run in runs.items()}


def test_parts_that_hang_are_interrupted(out_of_time):
    run = out_of_time["hang"]
    assert were_interrupted(run)
    assert_all_ran(run, failed=RUNNING)
    assert_comes_back(run)


def test_parts_that_hang_and_are_deaf_are_killed(out_of_time):
    run = out_of_time["deaf"]
    assert were_killed(run)
    assert_all_ran(run, failed=RUNNING)
    assert_comes_back(run)


def test_pytest_out_of_time_says_what_failed(out_of_time):
    pytest.importorskip("xdist")
    assert said_what_failed(out_of_time["pytest"])


@pytest.mark.parametrize("stand_in", ["install=fail", "install=crash", "import=fail", "import=crash", "stale"])
def test_a_wheel_of_no_use_is_built_there(tmp_path, stand_in):
    wheels = wheels_in(tmp_path / "wheels", of_this_tree=stand_in != "stale")
    run = Rehearsal(tmp_path, stand_in, WHEELS=wheels)
    assert len(list(filter(is_build, run.calls))) == 1
    if stand_in == "stale":
        assert f"the wheel in {wheels} was not made from this tree" in run.printed
        assert "CMakeLists.txt: FAILED" in run.log("sources")
        assert_all_ran(run, more=["build"])
    elif stand_in.startswith("import"):
        assert "smoke" not in run.ended
        assert run.printed.splitlines()[-1] == "failed: import import"
    assert_comes_back(run)


def test_an_install_that_hangs(tmp_path):
    def was_interrupted(run):
        return run.ended["install"] == 124 and run.ended.get("smoke") == 0

    run = rehearse_out_of_time(tmp_path, "install=hang", 3, was_interrupted)
    assert was_interrupted(run)
    assert set(run.ended) == {*PARTS, "build"}
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
    """All parts one after the other, but for the sanitizers, which run beside the tests."""
    beside = ("tests", *SANITIZERS)
    return sum(limit for part, limit in run.limits.items() if part not in beside) + max(
        run.limits[part] for part in beside
    )


def test_the_limits_fit_one_call(well, tmp_path):
    assert 300 < seconds_until_killed(well) <= 450
    stale = Rehearsal(tmp_path, percent=100, WHEELS=wheels_in(tmp_path / "wheels", of_this_tree=False))
    of_the_wheel = well.limits["import"]  # a wheel of this tree is imported in vain, at worst
    assert 400 < seconds_until_killed(stale) + of_the_wheel <= 590


def test_the_commit_without_git(tmp_path):
    run = Rehearsal(tmp_path, GIT_DIR="/nonexistent")
    assert (run.out / "COMMIT").read_text() == "c0ffee\n"
    assert "== commit c0ffee" in run.printed


def test_the_tests_that_it_picks(well):
    [call] = [call for call in well.calls if call[:3] == ["python3", "-m", "pytest"]]
    number = call.index("-n") + 1
    options = [word for i, word in enumerate(call) if i not in (0, number - 1, number) and "junitxml" not in word]
    listed = subprocess.run(
        [sys.executable, *options, "--collect-only"], cwd=ROOT, capture_output=True, text=True, timeout=300
    ).stdout
    names = re.findall(r"^tests/\S+::.*", listed, re.MULTILINE)
    assert len(names) > 1500
    assert all("[cuda" in name or "test_cuda_bench" in name for name in names)
