"""The panels that trainings are shown in."""

import pytest
import torch
from rich.console import Console
from torch import nn
from torch.nn.functional import mse_loss

from gradstep import ExponentialDecay
from gradstep_demo import comparison, figure, panels
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.outcome import Line, Options, Panel
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings
from gradstep_demo.task import LOSS, Metric, Task
from support.tolerances import OTHER_ALGORITHM


def trainings(rate, epochs=3):
    x = torch.linspace(-1, 1, 4).unsqueeze(1)
    task = Task(
        "a line",
        (x, 2 * x),
        lambda: nn.Linear(1, 1),
        lambda model: {"test loss": float(mse_loss(model(x), 2 * x)), "test share": 0.25},
        mse_loss,
        (Metric("test share", ".1%", best=max), LOSS),
        loss_name="Squared error",
    )
    settings = Settings("slow", "SGD", rate, batch=4, length=Epochs(epochs))
    program = comparison.Program("line", "Line", "nothing.", lambda _: task, [settings], [GRADSTEP])
    return comparison.train(program, Options(), Report(Console(quiet=True)))


def test_a_loss_that_is_also_measured_has_one_panel():
    found = panels.panels(trainings(0.1))
    titles = ["Squared error: training (line), test (dots)", "Test share in %", "Learning rate"]
    assert [panel.title for panel in found] == titles
    assert [line.marker for line in found[0].lines] == ["", "o"]
    assert found[1].lines[0].y == [25.0] * 3


@pytest.mark.parametrize(("epochs", "dots"), [(25, 25), (26, 13), (100, 25), (101, 21)])
def test_dots_are_few_and_the_last_is_among_them(epochs, dots):
    (training,) = trainings(0.1, epochs)
    line = panels.panels([training])[0].lines[1]
    assert len(line.x) == dots
    assert (line.x[-1], line.y[-1]) == (epochs, training.laps[-1].test["test loss"])
    assert sorted(line.x) == line.x


@pytest.mark.parametrize(
    ("gamma", "log", "floor"), [(1.0, "", None), (0.7, "", None), (0.5, "y", None), (0.05, "y", 1e-3)]
)
def test_rates_are_logarithmic_where_they_spread(gamma, log, floor):
    panel = panels.rates(trainings(lambda _: ExponentialDecay(0.1, gamma)))
    assert panel.log == log
    assert panel.floor == (floor and pytest.approx(floor, rel=OTHER_ALGORITHM))


@pytest.mark.parametrize(("libraries", "label"), [(["gradstep"], "slow"), (["gradstep", "torch"], "slow, gradstep")])
def test_a_single_library_is_not_named_with_each_line(libraries, label):
    lines = [Line("slow", library, [1], [1]) for library in libraries]
    assert figure.Pens([Panel("Loss", lines)]).label(lines[0]) == label
