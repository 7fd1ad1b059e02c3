"""Many tensors and many groups: everyone makes the same steps, of as many as are said."""

from dataclasses import replace

import pytest
import torch

from gradstep_bench.accuracy import CheckFailed
from gradstep_bench.growth import GROWTHS, TENTH, measure_growth
from gradstep_bench.rules import GRADSTEP, RULES, Rule
from gradstep_bench.timing import Pace


@pytest.mark.parametrize("name", GROWTHS)
def test_results(name):
    growth = replace(GROWTHS[name], count=30)
    results = {r.contestant: r for r in measure_growth(growth, RULES["adam"], [TENTH, "default"], Pace.quick())}
    assert list(results) == [GRADSTEP, TENTH, "default"]
    assert results[GRADSTEP].case == name
    assert results[GRADSTEP].times_gradstep == 1
    assert all(result.seconds > 0 and result.elements == 300 for result in results.values())


@pytest.mark.parametrize("name", GROWTHS)
def test_tensors_and_groups(name):
    growth = GROWTHS[name]
    given = growth.params(7)
    optimizer = torch.optim.SGD(given)
    assert [len(group["params"]) for group in optimizer.param_groups] == ([1] * 7 if growth.grouped else [7])
    assert all(p.grad.shape == (10,) for group in optimizer.param_groups for p in group["params"])


def test_another_step_is_not_timed(monkeypatch):
    rule = Rule("adam", "Adam")
    monkeypatch.setitem(rule.makers, "default", lambda params: torch.optim.Adam(params, lr=0.1))
    with pytest.raises(CheckFailed, match="make-tensors adam, the first step against default"):
        measure_growth(replace(GROWTHS["make-tensors"], count=30), rule, [TENTH, "default"], Pace.quick())
