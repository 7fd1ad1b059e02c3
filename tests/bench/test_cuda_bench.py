"""The benchmark of a CUDA device: on the CPU what can be had there of it, all of it where there is a device."""

import pytest
import torch

from gradstep.bench import cuda
from gradstep.bench.accuracy import CheckFailed
from gradstep.bench.cases import CASES, Case
from gradstep.bench.rules import GRADSTEP
from gradstep.bench.targets import judge
from gradstep.bench.timing import YARDSTICK, Pace, turn_of

QUICK = Pace.quick()
CONTESTANTS = {
    "cuda-gpt2": {GRADSTEP, "fused", YARDSTICK},
    "cuda-gpt2-bf16": {GRADSTEP, "fused", YARDSTICK},
    "cuda-gpt2-xl": {GRADSTEP, "fused", YARDSTICK},
    "cuda-thousand": {GRADSTEP, "fused", YARDSTICK},
    "cuda-host-fresh": {GRADSTEP, "fused", "60 us"},
    "cuda-host-replay": {GRADSTEP, "fused", "10 us"},
    "cuda-tail-gpt2": {GRADSTEP, "GradScaler", "grad_scale", "folded", YARDSTICK},
}


@pytest.fixture(autouse=True)
def _small_cases(monkeypatch):
    for name, case in list(cuda.ON_CUDA.items()):
        monkeypatch.setitem(cuda.ON_CUDA, name, Case(name, "small", ((40, 5), (7,)), case.dtype))
    monkeypatch.setitem(CASES, "gpt2", Case("gpt2", "small", ((40, 5), (7,))))


@pytest.fixture(params=["cpu", "cuda"])
def place(request, monkeypatch):
    """On the CPU the host's clock stands in for events, and a step for its replay."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("torch finds no CUDA device")
        return "cuda"
    monkeypatch.setattr(cuda, "turn_on_device", turn_of)
    monkeypatch.setattr(cuda, "turn_on_host", turn_of)
    monkeypatch.setattr(cuda, "_captured", lambda step: step)
    return "cpu"


def test_every_case_and_goal(place):
    results = [result for found in cuda.measure_cuda(QUICK, place) for result in found]
    found = {}
    for result in results:
        found.setdefault(result.case, set()).add(result.contestant)
        assert result.seconds > 0
    assert found == CONTESTANTS
    by_name = {(result.case, result.contestant): result for result in results}
    assert by_name["cuda-gpt2", GRADSTEP].step_bytes == 28 * 207
    assert by_name["cuda-gpt2-bf16", GRADSTEP].step_bytes == 14 * 207
    assert by_name["cuda-tail-gpt2", GRADSTEP].step_bytes == 44 * 207
    for goal in cuda.GOALS:
        assert judge(goal, results).reached in (True, False)
    fresh = by_name["cuda-host-fresh", "60 us"]
    assert fresh.seconds == 60e-6
    assert fresh.times_gradstep == pytest.approx(60e-6 / by_name["cuda-host-fresh", GRADSTEP].seconds, rel=0.5)


def test_a_contestant_that_computes_something_else_is_not_timed(place, monkeypatch):
    make = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda *given, **options: make(*given, **options, lr=0.5))
    with pytest.raises(CheckFailed, match="cuda-gpt2, the first step against torch: results differ by up to"):
        next(cuda.measure_cuda(QUICK, place))
