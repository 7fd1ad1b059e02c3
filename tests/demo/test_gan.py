"""The generative adversarial network: who learns from what, at which rate, and how digits are measured."""

import numpy as np
import pytest
import torch
from rich.console import Console

from gradstep_demo import adversaries, gan
from gradstep_demo.adversaries import GAN
from gradstep_demo.contenders import GRADSTEP, TORCH
from gradstep_demo.outcome import Options
from gradstep_demo.report import Report
from gradstep_demo.task import Plan, Task
from gradstep_demo.training import Training
from support.tolerances import OTHER_ALGORITHM, SINGLE


@pytest.fixture
def plan():
    """A few digits of noise: what they show does not matter here."""
    torch.manual_seed(7)
    images, labels = torch.rand(20, 1, 28, 28) * 2 - 1, torch.arange(20) % 10
    task = Task("noise", (images, labels), GAN, lambda model: {})
    return Plan(task, gan.DOCUMENT, seed=1)


def test_each_half_has_its_own_decaying_rate(plan):
    training = Training(plan, GRADSTEP)
    for t in range(3):
        assert training.learner.rates == pytest.approx(
            {"generator": 2e-4 / (1 + 1e-4 * t), "discriminator": 5e-5 / (1 + 1e-4 * t)}, rel=OTHER_ALGORITHM
        )
        training.train(1, lambda _: None)


def test_learns_as_with_torch(plan):
    ours, theirs = (Training(plan, library).train(4, lambda _: None) for library in (GRADSTEP, TORCH))
    # Where batch normalisation follows a bias, its gradient is rounding alone, which Adam makes updates of.
    assert ours == pytest.approx(theirs, rel=1e-3)


def test_neither_half_learns_from_the_others_loss(plan):
    learner = Training(plan, GRADSTEP).learner
    batch = [tensor[:8] for tensor in plan.task.train]
    learner.update(batch)
    assert all(p.grad is None or not p.grad.any() for p in learner.model.parameters())


def test_losses_are_the_mean_of_what_each_half_gets_wrong(plan):
    learner = Training(plan, GRADSTEP).learner
    logits = {0.9: torch.tensor([0.5, -1.0]), 0.0: torch.tensor([2.0, 0.1])}
    learner.model.judge = lambda digits, kinds: digits
    for wanted, values in logits.items():
        p = 1 / (1 + np.exp(-values.numpy().astype(float)))
        loss = -(wanted * np.log(p) + (1 - wanted) * np.log(1 - p)).mean()
        assert learner.verdict(values, None, wanted).item() == pytest.approx(loss, rel=SINGLE)


def test_newest_generator_weighs_less_in_their_average_as_they_become_more():
    mean, newest = torch.tensor([1.0, -4.0]), torch.tensor([3.0, 0.0])
    assert adversaries.averaged(mean, newest, torch.tensor(8)).tolist() == [2.0, -2.0]
    assert adversaries.averaged(mean, newest, torch.tensor(10**6)).tolist() == pytest.approx(
        [1.004, -3.992], rel=SINGLE
    )


def test_digits_are_shown_from_the_average(plan):
    learner = Training(plan, GRADSTEP).learner
    batch = [tensor[:8] for tensor in plan.task.train]
    wanted = None
    for count in range(3):
        learner.update(batch)
        weight = learner.model.generator[0].weight.detach().clone()
        wanted = weight if wanted is None else wanted + (weight - wanted) * 9 / (10 + count)
    assert torch.allclose(learner.model.average.module[0].weight, wanted, atol=1e-7)
    learner.model.eval()
    shown, _ = gan.columns(learner.model, 1)
    learner.model.average.module[-2].bias.data += 1.0
    assert (gan.columns(learner.model, 1)[0] > shown).all()


def test_digits_are_judged_by_the_nearest():
    images = torch.stack([torch.full((1, 28, 28), value) for value in (-1.0, 0.0, 1.0)])
    labels = torch.tensor([4, 7, 9])
    digits = torch.stack([torch.full((1, 28, 28), value) for value in (-0.9, 0.1, 0.4, 0.8)])
    found = gan.compare(digits, torch.tensor([4, 7, 9, 9]), images, labels)
    # White and black are 2 apart, which counts as 1.
    wanted = {
        "right kind": 0.75,
        "nearest digit": np.mean([0.1, 0.1, 0.4, 0.2]) / 2,
        "variety": np.mean([0, 0, 0.2]) / 2,
    }
    assert found == pytest.approx(wanted, rel=1e-5)


def test_discriminator_judges_by_the_kind_asked_for():
    model = GAN()
    digits, kinds = torch.rand(3, 1, 28, 28), torch.tensor([2, 0, 9])
    logits = model.discriminator(digits)
    assert model.judge(digits, kinds).flatten().tolist() == [logits[row, kind].item() for row, kind in enumerate(kinds)]


def test_short_run_shows_ten_columns_of_digits(digits, monkeypatch):
    monkeypatch.setattr(adversaries, "CHANNELS", 8)
    for rate in ("GENERATOR_RATE", "DISCRIMINATOR_RATE"):
        monkeypatch.setattr(gan, rate, 10 * getattr(gan, rate))  # to see in seconds what takes minutes
    outcome = gan.run(Options(digits, epochs=100), Report(Console(quiet=True)))
    picture = outcome.panels[0]
    assert picture.images.shape == (gan.ROWS, 10, 28, 28)
    assert 0 <= picture.images.min() < picture.images.max() <= 1
    results = outcome.results
    assert results["nearest_digit"] < 0.7 * results["before"]["nearest digit"]
    assert results["right_kind"] > 0.2 > results["before"]["right kind"]
    assert results["held_out_digits"]["right kind"] > 0.7
