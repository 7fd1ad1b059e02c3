"""The whole tail: torch's ways compute what gradstep does, over the bytes that are said."""

import pytest
import torch

from gradstep_bench import tail
from gradstep_bench.accuracy import CheckFailed, measure_errors
from gradstep_bench.cases import Case
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.tail import BYTES, TailTrial, measure_tail
from gradstep_bench.timing import YARDSTICK, Pace

SMALL = Case("small", "three tensors", ((7, 3), (5,), (40, 11)))


def entered(contestant, size=1.0):
    torch.manual_seed(0)
    params = [torch.randn(shape) for shape in SMALL.shapes]
    for p in params:
        p.grad = torch.randn(p.shape) * size
    return params, TailTrial(SMALL).enter(contestant, params)


def test_results():
    results = {result.contestant: result for result in measure_tail(SMALL, tuple(BYTES), Pace.quick())}
    assert list(results) == [GRADSTEP, *BYTES, YARDSTICK]
    assert results[GRADSTEP].case == "tail-small"
    # The norm reads g; then p, m, v, the average and g are read and written.
    assert {result.step_bytes for result in results.values()} == {44 * SMALL.elements}
    limits = {name: result.at_most for name, result in results.items()}
    assert limits == {
        GRADSTEP: None,
        "GradScaler": pytest.approx(64 / 44),
        "grad_scale": pytest.approx(60 / 44),
        "folded": pytest.approx(52 / 44),
        YARDSTICK: None,
    }


@pytest.mark.parametrize("contestant", [GRADSTEP, *BYTES])
def test_a_call_changes_everything_and_zeroes_the_gradients(contestant):
    params, entry = entered(contestant)
    before = [p.clone() for p in params]
    given = [p.grad.clone() for p in params]
    entry.call()
    for p, old in zip(params, before, strict=True):
        assert not torch.equal(p, old)
        assert not p.grad.any()
    entry.call.prepare()
    for p, g in zip(params, given, strict=True):
        assert torch.equal(p.grad, g)


def test_another_average_is_not_timed(monkeypatch):
    class Forgetful(tail.Folded):
        def averages(self):
            return [average * 0.999 for average in super().averages()]

    monkeypatch.setitem(tail.TAILS, "folded", Forgetful)
    with pytest.raises(CheckFailed, match="adamw, gradstep against folded after 10 steps"):
        measure_errors(TailTrial(SMALL), ["folded"])


@pytest.mark.parametrize("contestant", [GRADSTEP, *BYTES])
def test_a_gradient_with_a_nan_changes_no_parameter(contestant):
    params, entry = entered(contestant)
    before = [p.clone() for p in params]
    params[1].grad[2] = float("nan")
    entry.call()
    for p, old in zip(params, before, strict=True):
        assert torch.equal(p, old)
