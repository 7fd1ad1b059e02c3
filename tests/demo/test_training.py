"""The loop that every example shares: lengths, order, measurements and custom learners."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn
from torch.nn.functional import mse_loss

from gradstep import InverseTimeDecay
from gradstep_demo import comparison, figure
from gradstep_demo.contenders import GRADSTEP, TORCH
from gradstep_demo.learner import Learner
from gradstep_demo.outcome import Options, Picture
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings, Updates
from gradstep_demo.task import LOSS, Plan, Task
from gradstep_demo.training import Training
from support.tolerances import OTHER_ALGORITHM, SINGLE

QUIET = Report(Console(quiet=True))


@pytest.fixture
def line():
    """Seven points on a line, of which the first two are measured."""
    x = torch.linspace(-1, 1, 7).unsqueeze(1)
    y = 3 * x - 1

    def measure(model):
        return {"test loss": float(mse_loss(model(x[:2]), y[:2]))}

    return Task("a line", (x, y), lambda: nn.Linear(1, 1), measure, mse_loss, (LOSS,))


def settings(length, **changed):
    return Settings("slow", "SGD", **{"rate": 0.1, "batch": 3, "length": length} | changed)


def test_epochs_are_passes_and_a_measurement_after_each(line):
    plan = Plan(line, settings(Epochs(4)), seed=0)
    assert (plan.laps, plan.span.updates, plan.span.epoch) == ([3] * 4, 12, 3)


@pytest.mark.parametrize(("count", "laps"), [(25, [2, 3] * 5), (1000, [100] * 10), (4, [1] * 4)])
def test_updates_are_measured_ten_times(line, count, laps):
    plan = Plan(line, settings(Updates(count)), seed=0)
    assert plan.laps == laps
    assert (plan.span.updates, plan.span.epoch) == (count, 3)


def test_quick_and_the_users_own_count():
    length = Updates(1000, quick=30)
    assert settings(length).adapted(Options()).length.count == 1000
    assert settings(length).adapted(Options(quick=True)).length.count == 30
    assert settings(length).adapted(Options(quick=True, epochs=7)).length.count == 7


def test_rate_knows_the_length_of_the_training(line):
    slow = settings(Epochs(2), rate=lambda span: InverseTimeDecay(0.3, 0.5, steps=span.epoch, staircase=True))
    training = Training(Plan(line, slow, seed=0), GRADSTEP)
    training.train(6, lambda _: None)
    assert training.curve.rates["rate"] == pytest.approx([0.3] * 3 + [0.2] * 3, rel=OTHER_ALGORITHM)


def test_every_pass_sees_each_row_once_in_its_own_order(line):
    training = Training(Plan(line, settings(Epochs(2)), seed=3), GRADSTEP)
    passes = [torch.cat([next(training.batches)[0] for _ in range(3)]) for _ in range(2)]
    for seen in passes:
        assert torch.equal(seen.sort(dim=0).values, line.train[0])
    assert not torch.equal(*passes)


def test_libraries_see_the_same(line):
    program = comparison.Program("line", "Line", "nothing.", lambda _: line, [settings(Epochs(30))])
    ours, theirs = comparison.train(program, Options(), QUIET)
    assert ours.curve.losses["loss"] == pytest.approx(theirs.curve.losses["loss"], rel=1e-4, abs=1e-9)
    assert ours.laps[-1].test["test loss"] < 1e-3 < ours.laps[0].test["test loss"]


class Number(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.value.expand_as(x)


class Duel(Learner):
    """Two optimizers that pull one number to 1 and to -1."""

    def __init__(self, plan, library):
        self.model = Number()
        self.optimizers = {
            name: library.optimizer(settings(Updates(1), rate=rate), self.model, plan.span)
            for name, rate in {"up": 0.2, "down": 0.1}.items()
        }

    def update(self, batch):
        losses = {}
        for name, goal in {"up": 1.0, "down": -1.0}.items():
            loss = ((self.model.value - goal) ** 2).sum()
            loss.backward()
            self.optimizers[name].update()
            losses[name] = loss.item()
        return losses


def test_a_task_without_a_loss_needs_a_learner(line):
    with pytest.raises(ValueError, match="the task has no loss: give it one, or name a learner"):
        Training(Plan(replace(line, loss=None), settings(Updates(1)), seed=0), GRADSTEP)


@pytest.mark.parametrize("library", [GRADSTEP, TORCH])
def test_a_learner_may_have_several_optimizers_and_losses(line, library):
    training = Training(Plan(line, settings(Updates(60), learner=Duel), seed=0), library)
    lap = training.lap(lambda _: None)
    assert set(lap.train) == {"up", "down"}
    assert training.curve.rates == {"up": [0.2] * 6, "down": [0.1] * 6}
    training.train(54, lambda _: None)
    # v -> 0.6 v + 0.4 and then v -> 0.8 v - 0.2: together v -> 0.48 v + 0.12.
    assert training.learner.model.value.item() == pytest.approx(0.12 / 0.52, abs=SINGLE)
    assert training.learner.step_seconds > lap.step_seconds > 0


def test_pictures_and_notes_join_an_outcome(line, tmp_path):
    program = comparison.Program("line", "Line", "nothing.", lambda _: line, [settings(Epochs(3))], [GRADSTEP])
    plain = comparison.run(program, Options(), QUIET)
    image = np.zeros((2, 3, 8, 8))
    image[1, 2] = 1
    outcome = plain.plus(notes=["A text."], panels=[Picture("Squares", image)], results={"answer": 42})
    assert outcome.notes == [*plain.notes, "A text."]
    assert outcome.results == {**plain.results, "answer": 42}
    figure.draw(outcome, tmp_path / "line.png")
    assert (tmp_path / "line.png").stat().st_size > 1000
    console = Console(width=100, record=True, file=io.StringIO())
    Report(console).summarise(outcome)
    assert "A text." in console.export_text()
