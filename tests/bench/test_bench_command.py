"""The command ``gradstep bench``: its tables, its files, and what it refuses."""

import json

import pytest
import torch
from typer.testing import CliRunner

import gradstep
from gradstep.cli.commands import app
from gradstep_bench.formulas import FORMULAS
from gradstep_bench.rules import GRADSTEP, RULES, Rule
from gradstep_bench.targets import BEST, Target
from gradstep_bench.timing import YARDSTICK
from support.tolerances import OTHER_ALGORITHM


def bench(*options):
    outcome = CliRunner().invoke(app, ["bench", "--quick", *map(str, options)], catch_exceptions=False)
    return outcome


def test_schedules_print_their_ratios(monkeypatch):
    monkeypatch.setattr("gradstep_bench.schedules.FORMULAS", FORMULAS[:1])
    outcome = bench("--schedules")
    assert outcome.exit_code == 0
    assert "times NumPy" in outcome.output
    assert "| Linear" in outcome.output


def test_chosen_cases_and_rules(tmp_path):
    report, figure = tmp_path / "report.json", tmp_path / "figure.png"
    outcome = bench("--case", "tiny", "--rule", "adam", "--rule", "signum", "--json", report, "--out", figure)
    assert outcome.exit_code == 0, outcome.output
    assert figure.stat().st_size > 1000
    document = json.loads(report.read_text())
    assert document["environment"]["threads"] == gradstep.get_num_threads()
    rows = {(row["rule"], row["contestant"]): row for row in document["results"]}
    adam = {contestant for rule, contestant in rows if rule == "adam"}
    assert adam == {GRADSTEP, "default", "foreach", "fused", YARDSTICK}
    assert {contestant for rule, contestant in rows if rule == "signum"} == {GRADSTEP, "plain", YARDSTICK}
    for row in rows.values():
        assert row["step_bytes"] == 16_000 * {"adam": 28, "signum": 20}[row["rule"]]
        assert row["gigabytes_per_second"] == pytest.approx(
            row["step_bytes"] / row["seconds"] / 1e9, rel=OTHER_ALGORITHM
        )
        assert row["spread"] >= 0
        assert row["rounds"] >= 3
        assert (row["max_error"] is None) == (row["contestant"] == YARDSTICK)
    assert rows["adam", GRADSTEP]["times_gradstep"] == 1
    assert 0 < rows["adam", GRADSTEP]["max_error"] < 2e-6


@pytest.fixture
def few_targets(monkeypatch):
    few = [
        Target("tiny", "adam", BEST, 1e-6),
        Target("tail-tiny", "adamw", "folded", 1e6),
        Target("tail-tiny", "adamw", YARDSTICK),
        Target("loop-mlp", "adam", "fused"),
        Target("tiny", "sgd", BEST),
    ]
    monkeypatch.setattr("gradstep_bench.suite.TARGETS", few)
    monkeypatch.setattr("gradstep_bench.targets.TARGETS", few)
    monkeypatch.setitem(RULES, "sgd", Rule("sgd", "Far", elsewhere="far_away.optim.far.Far"))


def table(markdown, title):
    """The rows under a title, each by the table's headings."""
    section = markdown.partition(f"### {title}\n")[2].partition("###")[0]
    lines = [line.strip() for line in section.splitlines() if line.strip()]
    headings, rule, *rows = ([cell.strip() for cell in line[1:-1].split("|")] for line in lines)
    assert all(set(cell) == {"-"} for cell in rule)
    return [dict(zip(headings, row, strict=True)) for row in rows]


@pytest.mark.usefixtures("few_targets")
def test_published_tables(tmp_path):
    markdown, report = tmp_path / "tables.md", tmp_path / "report.json"
    outcome = bench("--markdown", markdown, "--json", report, "--out", tmp_path / "figure.png")
    assert outcome.exit_code == 0, outcome.output
    assert "sgd is left out" in outcome.output
    text = markdown.read_text()
    assert text.startswith("processor ")
    (step,) = table(text, "The step alone")
    assert (step["case"], step["rule"], step["to reach"], step[""]) == ("tiny", "adam", "1e-06", "reached")
    assert step["against"] in ("default", "foreach", "fused")
    assert len(step["RMS error"].split(" / ")) == 2
    assert "at most, by bytes" not in step
    folded, memory = table(text, "The whole tail of an iteration")
    assert (folded["against"], folded["at most, by bytes"], folded[""]) == ("folded", "1.18", "not reached")
    assert (memory["against"], memory["to reach"], memory[""]) == ("memory", "", "")
    (loop,) = table(text, "Whole training loops, an iteration")
    assert [share[-1] for share in loop["share of the step"].split(" / ")] == ["%", "%"]
    assert [each["reached"] for each in json.loads(report.read_text())["targets"]] == [True, False, None, None]


@pytest.mark.parametrize(("options", "message"), [(("--case", "huge"), "'huge'"), (("--rule", "newton"), "'newton'")])
def test_what_there_is_not_is_refused(options, message):
    outcome = bench(*options)
    assert outcome.exit_code == 2
    assert f"there is no {message}" in " ".join(outcome.output.split())


def test_another_result_stops_the_run(monkeypatch):
    def wrong(params, **settings):
        return torch.optim.Adam(params, lr=0.5)

    monkeypatch.setitem(RULES["adam"].makers, "fused", wrong)
    outcome = bench("--case", "tiny", "--rule", "adam")
    assert outcome.exit_code == 1
    assert "check failed: adam, gradstep against fused after 10 steps: results differ by up to" in outcome.output
