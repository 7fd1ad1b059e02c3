"""`gradstep plot`, as a user calls it."""

import pytest

from gradstep.cli import sheet
from gradstep.schedules import Constant, CosineDecay, Linear
from support.tolerances import OTHER_ALGORITHM

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are written."""
    figures = []

    class Figure(sheet.Figure):
        def savefig(self, *arguments, **options):
            figures.append(self)
            super().savefig(*arguments, **options)

    monkeypatch.setattr(sheet, "Figure", Figure)
    return figures


def test_plot_writes_a_picture_of_all_expressions(gradstep_command, drawn, tmp_path):
    out = tmp_path / "new" / "rate.png"
    expressions = ["CosineDecay(3e-4, 1000).warmup(50)", "1e-4", "Linear(1e-4, 0, 100) " + "+ Constant(0.00001) " * 9]
    result = gradstep_command("plot", *expressions, "--steps", 1200, "--out", out)
    assert result.exit_code == 0, result.output
    assert f"Figure: {out}" in result.output
    assert out.read_bytes().startswith(PNG)
    (axes,) = drawn[0].axes
    assert list(axes.lines[0].get_ydata()) == list(CosineDecay(3e-4, 1000).warmup(50)(range(1200)))
    assert list(axes.lines[1].get_ydata()) == list(Constant(1e-4)(range(1200)))
    assert axes.get_yscale() == "linear"
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels[:2] == expressions[:2]
    assert labels[2].replace("\n    ", " ") == expressions[2].strip()
    assert max(len(row) for row in labels[2].split("\n")) <= 100


def test_lines_can_be_told_apart(gradstep_command, drawn, tmp_path):
    gradstep_command("plot", *map(str, range(1, 9)), "--steps", 10, "--out", tmp_path / "rate.png")
    lines = drawn[0].axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 8
    widths = [line.get_linewidth() for line in lines]
    assert widths == sorted(widths, reverse=True)


def test_log_shows_six_decades_below_the_peak(gradstep_command, drawn, tmp_path):
    gradstep_command("plot", "--log", "CosineDecay(1, 100000)", "--steps", 100_001, "--out", tmp_path / "rate.svg")
    gradstep_command("plot", "--log", "Linear(1, 0.1, 10)", "--steps", 11, "--out", tmp_path / "rate.png")
    deep, shallow = (figure.axes[0] for figure in drawn)
    assert deep.get_yscale() == shallow.get_yscale() == "log"
    assert deep.get_ylim()[0] == pytest.approx(deep.get_ylim()[1] * 1e-6, rel=OTHER_ALGORITHM)
    assert 0.05 < shallow.get_ylim()[0] < 0.1
    assert b"<svg" in (tmp_path / "rate.svg").read_bytes()


def test_wrong_expression_is_no_traceback(gradstep_command, tmp_path):
    result = gradstep_command("plot", "1", "Linear(1, 0, 10).warm(3)", "--steps", 9, "--out", tmp_path / "rate.png")
    assert result.exit_code == 2
    assert "there is no method 'warm': did you mean 'warmup'?" in result.output
    assert "Linear(1, 0, 10).warm(3)" in result.output
    assert not (tmp_path / "rate.png").exists()


def test_value_past_the_end_is_no_traceback(gradstep_command, tmp_path):
    result = gradstep_command("plot", "Linear(1, 0, 10, past='error')", "--steps", 99, "--out", tmp_path / "rate.png")
    assert result.exit_code == 2
    assert "no value at t = 11" in result.output


def test_unknown_format_is_no_traceback(gradstep_command, tmp_path):
    result = gradstep_command("plot", "1", "--steps", 9, "--out", tmp_path / "rate.txt")
    assert result.exit_code == 2
    assert "Format 'txt' is not supported" in result.output


def test_without_steps_it_draws_until_all_have_ended(gradstep_command, drawn, tmp_path):
    expressions = ["CosineDecay(1, 91).warmup(10)", "Linear(1, 0, 40)"]
    result = gradstep_command("plot", *expressions, "--out", tmp_path / "rate.png")
    assert [len(line.get_ydata()) for line in drawn[0].axes[0].lines] == [100, 100]
    for schedule in (CosineDecay(1, 91).warmup(10), Linear(1, 0, 40)):
        assert schedule.describe(100) in result.output
    gradstep_command("plot", "0.1", "--out", tmp_path / "rate.png")
    assert len(drawn[1].axes[0].lines[0].get_ydata()) == 100


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("plot", "0.1"), "--out"),
        (("demo", "linear-regression"), "--out"),
        (("demo", "linear-regression"), "--json"),
        (("bench", "--quick"), "--out"),
        (("bench", "--quick"), "--json"),
        (("bench", "--quick"), "--markdown"),
    ],
)
def test_what_can_not_be_written_is_found_before_the_work(gradstep_command, monkeypatch, tmp_path, command, option):
    session, running = pytest.importorskip("gradstep_bench.session"), pytest.importorskip("gradstep_demo.running")
    for place, name in ((session, "Session"), (running, "run"), (sheet, "draw")):
        monkeypatch.setattr(place, name, lambda *_: pytest.fail("it works first"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    result = gradstep_command(*command, option, tmp_path / "file" / "below")
    assert result.exit_code == 2
    assert option in result.output
    assert "Not a directory" in result.output or "File exists" in result.output
    assert (tmp_path / "file").read_text() == "kept"
