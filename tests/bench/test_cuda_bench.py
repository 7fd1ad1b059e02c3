"""The benchmark of a CUDA device: on the CPU what can be had there of it, all of it where there is a device."""

import json

import pytest
import torch
from typer.testing import CliRunner

from gradstep.cli.commands import app
from gradstep_bench import cuda, cuda_turns, environment, session
from gradstep_bench.accuracy import CheckFailed
from gradstep_bench.cases import CASES, Case
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.targets import judge
from gradstep_bench.timing import YARDSTICK, Pace, turn_of
from support.tolerances import OTHER_ALGORITHM

QUICK = Pace.quick()
STEP = {GRADSTEP, "fused", YARDSTICK, cuda.IN_PLACE}
CONTESTANTS = {
    "cuda-gpt2": STEP,
    "cuda-gpt2-bf16": STEP,
    "cuda-gpt2-xl": STEP,
    "cuda-thousand": STEP,
    "cuda-host-fresh": {GRADSTEP, "fused", "130 us"},
    "cuda-host-replay": {GRADSTEP, "fused", "10 us"},
    "cuda-tail-gpt2": {GRADSTEP, "GradScaler", "grad_scale", "folded", YARDSTICK},
}


@pytest.fixture(autouse=True)
def _small_cases(monkeypatch):
    for name, case in list(cuda.ON_CUDA.items()):
        monkeypatch.setitem(cuda.ON_CUDA, name, Case(name, "small", ((40, 5), (7,)), case.dtype))
    monkeypatch.setitem(CASES, "gpt2", Case("gpt2", "small", ((40, 5), (7,))))


class HostTurn:
    """The host's clock for a device's."""

    def __init__(self, step):
        self.host_seconds, self._turn = [1.0], turn_of(step)

    def __call__(self, repeats):
        return self._turn(repeats)


@pytest.fixture(params=["cpu", "cuda"])
def place(request, monkeypatch):
    """On the CPU the host's clock stands in for events, and a step for its replay."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("torch finds no CUDA device")
        return "cuda"
    monkeypatch.setattr(cuda, "DeviceTurn", HostTurn)
    monkeypatch.setattr(cuda, "turn_on_host", turn_of)
    monkeypatch.setattr(cuda, "_Replay", lambda optimizer: optimizer.step)
    return "cpu"


def test_every_case_and_goal(place):
    measurements = cuda.measurements(QUICK, place)
    assert list(measurements)[-1] == "cuda-gpt2-xl"
    results = [result for measure in measurements.values() for result in measure()]
    found = {}
    for result in results:
        found.setdefault(result.case, set()).add(result.contestant)
        assert result.seconds > 0
    assert found == CONTESTANTS
    by_name = {(result.case, result.contestant): result for result in results}
    for result in results:
        assert (result.host_seconds is None) == result.case.startswith("cuda-host")
    assert by_name["cuda-gpt2", GRADSTEP].step_bytes == 28 * 207
    assert by_name["cuda-gpt2-bf16", GRADSTEP].step_bytes == 14 * 207
    assert by_name["cuda-tail-gpt2", GRADSTEP].step_bytes == 44 * 207
    for goal in cuda.GOALS:
        assert (judge(goal, results).reached is None) == (goal.at_least is None)
    fresh = by_name["cuda-host-fresh", "130 us"]
    assert fresh.seconds == 130e-6
    assert fresh.times_gradstep == pytest.approx(130e-6 / by_name["cuda-host-fresh", GRADSTEP].seconds, rel=0.5)


def test_a_contestant_that_computes_something_else_is_not_timed(place, monkeypatch):
    make = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda *given, **options: make(*given, **options, lr=0.5))
    with pytest.raises(CheckFailed, match="cuda-gpt2, the first step against torch: results differ by up to"):
        cuda.measurements(QUICK, place)["cuda-gpt2"]()


def test_the_largest_case_fits_the_smallest_device(monkeypatch):
    made = []

    def note(size, _):
        made.append(size)
        return torch.empty(size, dtype=torch.uint8, device="meta")

    monkeypatch.setattr(cuda, "_random_bytes", note)
    monkeypatch.setattr(cuda, "read_modify_write", lambda written, read: [*written, read])
    elements = 1_557_611_200  # of GPT-2 XL
    copy, in_place = cuda._copy(28 * elements, "cuda"), cuda._in_place(28 * elements, "cuda")
    assert copy.moved == 1 << 32
    assert in_place.moved == sum(x.nbytes for x in in_place.call) + sum(x.nbytes for x in in_place.call[:3])
    beside = 2 * made[0] + made[1]  # the copy has a target too
    assert 28 * elements + beside < 0.6 * 85.5e9  # both contestants' p, m and v, their gradients; an H100


@pytest.mark.parametrize("size", [28 * 207, 14 * 207, 1 << 33])
def test_a_yardstick_that_moves_less_is_scaled(size, monkeypatch):
    monkeypatch.setattr(cuda, "_MOST_BYTES", 1 << 20)
    monkeypatch.setattr(cuda, "DeviceTurn", lambda step: HostTurn(lambda: None))
    monkeypatch.setattr(cuda, "race_turns", lambda turns, _: {name: [1e-3] * 5 for name in turns})
    yardsticks = {YARDSTICK: cuda._copy(size, "cpu"), cuda.IN_PLACE: cuda._in_place(size, "cpu")}
    for yardstick in yardsticks.values():
        assert yardstick.moved <= 1 << 20
        assert yardstick.moved == pytest.approx(min(size, 1 << 20), abs=7 * 16)  # whole packs
    subject = cuda.Subject("cuda-gpt2", cuda.RULE, size // 28, size)
    found = {each.contestant: each for each in cuda._race(subject, {GRADSTEP: lambda: None}, yardsticks, QUICK)}
    for name, yardstick in yardsticks.items():
        assert found[name].seconds == pytest.approx(1e-3 * size / yardstick.moved, rel=OTHER_ALGORITHM)
    assert found[GRADSTEP].seconds == 1e-3


def test_yardsticks_move_random_bytes_and_change_none():
    for make in (cuda._copy, cuda._in_place):
        yardstick = make(28 * 4096, "cpu")
        yardstick.call()
    found = cuda._random_bytes(1 << 16, "cpu")
    counts = torch.bincount(found.int(), minlength=256)
    assert counts.min() > 128  # 256 of each are expected, give or take 16
    assert counts.max() < 512


class Machine:
    """A host and a device on one clock; the device does in turn what it is told."""

    def __init__(self, monkeypatch):
        self.now = self.free = 0.0
        monkeypatch.setattr(cuda_turns, "perf_counter", lambda: self.now)
        monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: Event(self))
        monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: self.tell(cycles / 2e9, 0.0))

    def tell(self, device, host):
        self.now += host
        self.free = max(self.free, self.now) + device

    def wait(self):
        self.now = max(self.now, self.free)


class Event:
    def __init__(self, machine):
        self.machine = machine

    def record(self):
        self.at = max(self.machine.free, self.machine.now)

    def query(self):
        return self.at <= self.machine.now

    def synchronize(self):
        self.machine.now = max(self.machine.now, self.at)

    def elapsed_time(self, other):
        return (other.at - self.at) * 1e3


@pytest.mark.parametrize("host", [1e-6, 60e-6, 2e-3, 4e-3], ids=str)
@pytest.mark.parametrize("repeats", [1, 40])
def test_the_time_of_the_host_is_not_the_devices(monkeypatch, host, repeats):
    machine = Machine(monkeypatch)
    turn = cuda_turns.DeviceTurn(lambda: machine.tell(10e-6, host))
    for _ in range(3):
        assert turn(repeats) == pytest.approx(10e-6, rel=OTHER_ALGORITHM)
    assert turn.host_seconds == [pytest.approx(host, rel=OTHER_ALGORITHM)] * len(turn.host_seconds)
    assert not turn.waits


def test_who_waits_for_the_device_is_timed_with_that(monkeypatch):
    machine = Machine(monkeypatch)

    def step():
        machine.tell(10e-6, 5e-6)
        machine.wait()
        machine.tell(10e-6, 5e-6)

    turn = cuda_turns.DeviceTurn(step)
    assert turn(1) == pytest.approx(30e-6, rel=OTHER_ALGORITHM)
    assert turn.waits
    before = machine.now
    assert 20e-6 < turn(8) < 30e-6  # the device's own are 20
    assert machine.now - before < 8 * 30e-6  # no pause any more


def test_what_is_prepared_is_not_timed(monkeypatch):
    machine = Machine(monkeypatch)

    class Prepared:
        def prepare(self):
            machine.tell(1e-3, 1e-3)

        def __call__(self):
            machine.tell(10e-6, 60e-6)

    assert cuda_turns.DeviceTurn(Prepared())(5) == pytest.approx(10e-6, rel=OTHER_ALGORITHM)


def test_a_case_that_fails_does_not_end_the_others(monkeypatch, tmp_path):
    report = tmp_path / "bench.json"
    written = []

    def fail(error):
        def measure():
            written.append(json.loads(report.read_text()) if report.exists() else None)
            raise error

        return measure

    small = cuda.measurements(QUICK, "cpu")
    measurements = {
        "cuda-gpt2-bf16": fail(torch.OutOfMemoryError("tried to allocate 6 GiB")),
        "cuda-gpt2": small["cuda-gpt2"],
        "cuda-thousand": fail(CheckFailed("results differ by up to 3")),
        "cuda-gpt2-xl": small["cuda-gpt2-xl"],
    }
    monkeypatch.setattr(cuda, "DeviceTurn", HostTurn)
    monkeypatch.setattr(session, "measurements", lambda _: measurements)
    options = ["bench", "--quick", "--device", "cuda", "--json", str(report), "--out", str(tmp_path / "bench.png")]
    outcome = CliRunner().invoke(app, options)
    assert outcome.exit_code == 1
    assert {row["case"] for row in written[1]["results"]} == {"cuda-gpt2"}  # before the end
    document = json.loads(report.read_text())
    assert {row["case"] for row in document["results"]} == {"cuda-gpt2", "cuda-gpt2-xl"}
    assert {each["case"] for each in document["targets"]} == {"cuda-gpt2", "cuda-gpt2-xl"}
    for failure in ("OutOfMemoryError: tried to allocate 6 GiB", "CheckFailed: results differ by up to 3"):
        assert failure in outcome.output


def test_the_commit_is_told_or_left_out(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bench/gradstep_bench").mkdir(parents=True)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("GRADSTEP_COMMIT", raising=False)
    assert "commit" not in environment.environment()
    monkeypatch.setenv("GRADSTEP_COMMIT", "1234567")
    assert environment.environment()["commit"] == "1234567"
