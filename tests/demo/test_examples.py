"""The results of the examples, besides their output."""

import io

import numpy as np
import pytest
import torch
from rich.console import Console

import gradstep_demo
from gradstep_demo import linear_regression as line
from gradstep_demo.mnist_cnn import CNN
from gradstep_demo.outcome import Options
from gradstep_demo.report import Report, write_json
from gradstep_demo.training import Curve
from support.tolerances import OTHER_ALGORITHM, SINGLE


@pytest.mark.parametrize("library", line.LIBRARIES)
def test_linear_regression_finds_the_line(library):
    run = line.gradient_descent(library, seed=1, num_iterations=line.ITERATIONS)
    slope, intercept = np.polyfit(line.x, line.y, 1)
    assert run.w.item() == pytest.approx(slope, abs=OTHER_ALGORITHM) == pytest.approx(0.6)
    assert run.b.item() == pytest.approx(intercept, abs=OTHER_ALGORITHM) == pytest.approx(2.2)


def test_gradient_is_the_slope_of_the_loss():
    w, b, h = np.array([0.3]), np.array([-1.2]), 1e-6
    dw, db = line.compute_gradient(w, b)
    assert dw.item() == pytest.approx((line.compute_loss(w + h, b) - line.compute_loss(w - h, b)) / (2 * h), rel=SINGLE)
    assert db.item() == pytest.approx((line.compute_loss(w, b + h) - line.compute_loss(w, b - h)) / (2 * h), rel=SINGLE)


def test_the_documents_rate_diverges():
    curvature = 2 * np.array([[np.mean(line.x**2), np.mean(line.x)], [np.mean(line.x), 1]])
    limit = 2 / np.linalg.eigvalsh(curvature).max()
    assert line.LEARNING_RATE < limit < 0.1
    assert limit == pytest.approx(0.0845, abs=1e-4)


def test_cnn_gives_ten_numbers_for_each_digit():
    assert CNN()(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_every_example_can_be_imported():
    for name in gradstep_demo.DESCRIPTIONS:
        assert callable(gradstep_demo.load(name).run)


def test_curve_averages_over_windows():
    curve = Curve(window=2)
    for loss, rate in [(1.0, 0.5), (3.0, 0.4), (5.0, 0.3), (7.0, 0.2), (9.0, 0.1)]:
        curve.add({"loss": loss, "twice": 2 * loss}, {"rate": rate})
    assert curve.updates == [2, 4]
    assert curve.losses == {"loss": [2.0, 6.0], "twice": [4.0, 12.0]}
    assert curve.rates == {"rate": [0.4, 0.2]}
    assert curve.highest == 0.5


def test_json_of_a_training_that_diverged(tmp_path):
    path = tmp_path / "results.json"
    write_json({"loss": float("nan"), "curve": [1.0, float("inf")]}, path)
    assert path.read_text().split() == ["{", '"loss":', "null,", '"curve":', "[", "1.0,", "null", "]", "}"]


def test_epochs_and_seed_are_the_users():
    quiet = Report(Console(quiet=True))
    results = gradstep_demo.load("linear-regression").run(Options(epochs=7, seed=5), quiet).results
    assert (results["iterations"], results["seed"]) == (7, 5)


@pytest.mark.parametrize("width", [56, 80, 200])
def test_summary_cuts_no_number(width):
    console = Console(width=width, record=True, file=io.StringIO())
    outcome = gradstep_demo.load("linear-regression").run(Options(epochs=7), Report(Console(quiet=True)))
    Report(console).summarise(outcome)
    shown = console.export_text()
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    for row in outcome.rows:
        assert row["w"] in shown
        assert row["loss"] in shown
