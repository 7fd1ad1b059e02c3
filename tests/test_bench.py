"""The benchmark tool: it runs, its numbers are of the right bytes, and its NumPy peers compute Adam."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import gradstep
from gradstep.bench.accuracy import CheckFailed, check_agreement
from gradstep.bench.cases import CASES
from gradstep.bench.cli import app
from gradstep.bench.formulas import FORMULAS, STEPS, Formula
from gradstep.bench.measure import bytes_of
from gradstep.bench.numpy_adam import BLOCKED, OUT_BUFFERS, NumpyAdam, measure_numpy
from gradstep.bench.results import Subject, summarize
from gradstep.bench.rules import GRADSTEP, RULES, traffic
from gradstep.bench.schedules import check
from gradstep.bench.suite import RUNS
from gradstep.bench.targets import BEST, TARGETS, Target, judge
from gradstep.bench.timing import YARDSTICK, Pace
from gradstep import _core

# p is read and written and g is read, 12 bytes of float32; each array of state adds 8
BYTES_PER_ELEMENT = {
    "sgd": 12,
    "sgd-momentum": 20,
    "adagrad": 20,
    "adadelta": 28,
    "rmsprop": 20,
    "adam": 28,
    "adamw": 28,
    "adamax": 28,
    "nadam": 28,
    "radam": 28,
    "rprop": 28,
    "asgd": 20,
    "lion": 20,
    "signum": 20,
}


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: repr(formula.schedule)[:40])
def test_schedules_are_timed_against_their_formulas(formula):
    check(formula, np.arange(STEPS))


def test_a_schedule_that_is_another_curve_is_not_timed():
    formula = Formula(gradstep.Linear(1, 0, 10), lambda t: 1 - t / 10, lambda t: 1 - t / 10)
    check(formula, np.arange(11))
    with pytest.raises(CheckFailed, match="is not the formula that it is timed against"):
        check(formula, np.arange(12))


def test_schedules_print_their_ratios(monkeypatch):
    monkeypatch.setattr("gradstep.bench.schedules.FORMULAS", FORMULAS[:1])
    result = CliRunner().invoke(app, ["--schedules", "--quick"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "times NumPy" in result.output
    assert "| Linear" in result.output


def test_every_optimizer_is_timed():
    classes = {rule.class_name for rule in RULES.values()}
    assert classes == set(gradstep.optimizers.__all__)


@pytest.mark.parametrize("name", RULES)
def test_bytes_of_a_step(name):
    params = [torch.ones(7, 3), torch.ones(5)]
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer = RULES[name].optimizer(GRADSTEP, params)
    optimizer.step()
    assert bytes_of(traffic(optimizer)) == 26 * BYTES_PER_ELEMENT[name]


@pytest.mark.parametrize(("name", "tensors", "millions"), [("gpt2", 148, 124.44), ("resnet", 159, 14.36)])
def test_cases_are_what_they_say(name, tensors, millions):
    assert len(CASES[name].shapes) == tensors
    assert CASES[name].elements / 1e6 == pytest.approx(millions, abs=0.01)


def test_quick_run_writes_json_and_figure(tmp_path):
    report, figure = tmp_path / "report.json", tmp_path / "figure.png"
    options = [
        "--case",
        "tiny",
        "--rule",
        "adam",
        "--rule",
        "lion",
        "--quick",
        "--json",
        str(report),
        "--out",
        str(figure),
    ]
    outcome = CliRunner().invoke(app, options, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    assert figure.stat().st_size > 1000
    document = json.loads(report.read_text())
    assert document["environment"]["threads"] == gradstep.get_num_threads()
    rows = {(row["rule"], row["contestant"]): row for row in document["results"]}
    adam = {contestant for rule, contestant in rows if rule == "adam"}
    assert adam == {GRADSTEP, "default", "foreach", "fused", YARDSTICK}
    assert {contestant for rule, contestant in rows if rule == "lion"} == {GRADSTEP, "plain", YARDSTICK}
    for row in rows.values():
        assert row["step_bytes"] == 16_000 * BYTES_PER_ELEMENT[row["rule"]]
        assert row["gigabytes_per_second"] == pytest.approx(row["step_bytes"] / row["seconds"] / 1e9)
        assert row["spread"] >= 0
        assert row["rounds"] >= 3
        assert (row["max_error"] is None) == (row["contestant"] == YARDSTICK)
    assert rows["adam", GRADSTEP]["times_gradstep"] == 1
    assert 0 < rows["adam", GRADSTEP]["max_error"] < 2e-6


def test_unknown_case_is_refused():
    assert CliRunner().invoke(app, ["--case", "huge"]).exit_code == 2


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
    np.testing.assert_allclose(theirs.parameter, ours, rtol=1e-13, atol=1e-15)


def test_numpy_race():
    results = {r.contestant: r for r in measure_numpy(100_003, Pace.quick())}
    assert set(results) == {GRADSTEP, OUT_BUFFERS, BLOCKED, YARDSTICK}


def test_a_wrong_result_stops_the_run():
    with pytest.raises(CheckFailed, match=r"adam: results differ by up to 0\.1"):
        check_agreement(np.ones(3), np.array([1, 1.1, 1]), "adam")


def test_ratios_are_of_the_same_round():
    race = {GRADSTEP: [1.0, 10.0, 2.0], "fused": [2.0, 20.0, 4.0], YARDSTICK: [0.5, 5.0, 1.0]}
    ours, fused, memory = summarize(Subject("big", "adam", 1, 28), [race], {})
    assert (ours.seconds, ours.share, ours.times_gradstep) == (2.0, 0.5, 1)
    assert (fused.share, fused.times_gradstep) == (0.25, 2)
    assert memory.contestant == YARDSTICK


def test_targets_can_be_measured_and_judged():
    for target in TARGETS:
        assert target.rule in RUNS[target.case].rules
    slow, slower = {GRADSTEP: [1.0] * 3, "default": [9.0] * 3}, {GRADSTEP: [1.0] * 3, "foreach": [3.0] * 3}
    results = summarize(Subject("big", "radam", 1), [slow, slower], {})
    verdict = judge(Target("big", "radam", BEST, 4), results)
    assert (verdict.measured, verdict.reached) == (3, False)


@pytest.mark.parametrize("threads", [1, 2])
def test_yardstick_changes_no_byte(threads):
    random = np.random.default_rng(0)
    written = [random.standard_normal(300_001).astype(np.float32) for _ in range(3)]
    read = [random.standard_normal(300_001).astype(np.float32)]
    before = [array.tobytes() for array in written + read]
    _core.ReadModifyWrite([(written, read)]).run(threads)
    assert [array.tobytes() for array in written + read] == before


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((4, 4))[:, ::2], "not contiguous"),
        (np.broadcast_to(np.ones(1), (1,)), "read-only"),
        (np.ones(5), "another size"),
    ],
)
def test_yardstick_refuses(array, message):
    with pytest.raises(ValueError, match=message):
        _core.ReadModifyWrite([([np.ones(array.size + (message == "another size")), array], [])])
