"""The timed rules: every rule, with the right bytes, against libraries that compute the same."""

import numpy as np
import pytest
import torch

import gradstep
from gradstep import _core, rules
from gradstep_bench.accuracy import CheckFailed, check_agreement, measure_errors
from gradstep_bench.cases import CASES, Case
from gradstep_bench.entries import Step, bytes_of
from gradstep_bench.numpy_adam import BLOCKED, OUT_BUFFERS, NumpyAdam, measure_numpy
from gradstep_bench.rules import GRADSTEP, RULES, Rule
from gradstep_bench.suite import rules_of
from gradstep_bench.timing import YARDSTICK, Pace
from support.tolerances import FEW_ULP, MANY_ROUNDINGS

SMALL = Case("small", "three tensors", ((7, 3), (5,), (40, 11)))


def test_every_optimizer_is_timed():
    classes = {rule.class_name for rule in RULES.values()}
    assert classes == set(gradstep.optimizers.__all__) - {"SparseAdam"}  # over rows: on dense gradients it is Adam


@pytest.mark.parametrize("name", RULES)
def test_bytes_of_a_step(name):
    params = [torch.ones(7, 3), torch.ones(5)]
    for p in params:
        p.grad = torch.ones_like(p)
    entry = Step(SMALL, RULES[name]).enter(GRADSTEP, params)
    entry.call()
    declared = getattr(rules, RULES[name].class_name)
    facts = _core.rules()[declared.kernel({**declared.default_group(), **RULES[name].settings}).rule]
    assert bytes_of(entry.sweeps()) == 26 * (facts.bytes_before + facts.update_bytes)


def test_bytes_that_the_core_tells():
    """Of float32: p and each state are read and written, g is read; before it what is measured is read."""
    told = {name: (facts.bytes_before, facts.update_bytes) for name, facts in _core.rules().items()}
    assert told["sgd"] == (0, 12)
    assert told["adam"] == (0, 28)
    assert told["lamb"] == (16, 28)  # p, g, m and v
    assert told["lars"] == (8, 12)  # p and g
    assert told["stable_adamw"] == (8, 28)  # g and v
    assert told["prodigy"] == (16, 44)  # p, g, s and the start


@pytest.mark.parametrize("name", RULES)
def test_peers_compute_the_same(name):
    rule = RULES[name]
    if not rule.peers:
        pytest.skip(f"{rule.elsewhere} is not installed")
    errors = measure_errors(Step(SMALL, rule), rule.peers)
    assert list(errors) == [GRADSTEP, *rule.peers]
    # Ten updates of numbers up to about 4, some after a subtraction of nearly equal ones: a few roundings of 2**-22.
    assert all(0 < error.root_mean_square <= error.largest < 8e-6 for error in errors.values())


def test_the_default_dtype_is_as_before():
    measure_errors(Step(SMALL, RULES["sgd"]), ["default"])
    assert torch.get_default_dtype() == torch.float32


def test_a_peer_with_other_settings_is_not_timed():
    with pytest.raises(CheckFailed, match="adam, gradstep against foreach after 10 steps: results differ by up to"):
        measure_errors(_Disturbed(SMALL, RULES["adam"]), ["foreach"])


class _Disturbed(Step):
    def enter(self, contestant, params):
        other = Rule("adam", "Adam", {"eps": 1e-3}) if contestant == "foreach" else RULES["adam"]
        return Step(self.case, other).enter(contestant, params)


def test_a_rule_without_an_installed_peer_is_not_run(monkeypatch):
    monkeypatch.setitem(RULES, "sgd", Rule("sgd", "Far", elsewhere="far_away.optim.far.Far"))
    assert RULES["sgd"].peers == []
    assert rules_of("tiny", ["sgd", "adam"]) == ["adam"]


@pytest.mark.parametrize(("name", "tensors", "millions"), [("gpt2", 148, 124.44), ("resnet", 159, 14.36)])
def test_cases_are_what_they_say(name, tensors, millions):
    assert len(CASES[name].shapes) == tensors
    assert CASES[name].elements / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("block", [None, 64])
def test_numpy_peers_compute_adam(block):
    random = np.random.default_rng(0)
    ours = random.standard_normal(1000)
    theirs = NumpyAdam(ours.copy(), block)
    optimizer = gradstep.Adam([ours])
    for _ in range(20):
        gradient = random.standard_normal(1000)
        optimizer.step([gradient])
        theirs.step(gradient)
    np.testing.assert_allclose(theirs.parameter, ours, rtol=MANY_ROUNDINGS, atol=FEW_ULP)


def test_numpy_race():
    results = {r.contestant: r for r in measure_numpy(100_003, Pace.quick())}
    assert set(results) == {GRADSTEP, OUT_BUFFERS, BLOCKED, YARDSTICK}


def test_a_wrong_result_stops_the_run():
    with pytest.raises(CheckFailed, match=r"adam: results differ by up to 0\.1"):
        check_agreement(np.ones(3), np.array([1, 1.1, 1]), "adam")
