"""The documents' programs: that each computes what it says, on little data."""

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from gradstep_demo import (
    boston_mlp,
    comparison,
    compounding_decay,
    mnist_decay,
    own_optimizer,
    rate_strategies,
    two_tasks,
)
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.outcome import Options, Picture
from gradstep_demo.report import Report
from gradstep_demo.settings import Span
from gradstep_demo.task import Plan
from gradstep_demo.training import Training
from support.tolerances import MANY_ROUNDINGS, OTHER_ALGORITHM, SINGLE

same = functools.partial(pytest.approx, rel=OTHER_ALGORITHM)
QUIET = Report(Console(quiet=True))


def alone(example):
    """Its program without the library that gradstep is compared with."""
    return replace(example.PROGRAM, libraries=[GRADSTEP])


def documents_rates(decay, epochs):
    """The rate that the document's own code leaves in the optimizer at each epoch."""
    optimizer = torch.optim.Adam(nn.Linear(10, 1).parameters(), lr=0.1)
    for epoch in range(epochs):
        decay(optimizer, epoch)
        yield optimizer.param_groups[0]["lr"]


def section_6_2(optimizer, epoch):
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] / (1 + 0.01 * epoch)


def section_a_1(optimizer, epoch):
    for group in optimizer.param_groups:
        group["lr"] = 0.1 / (1 + 0.01 * epoch)


@pytest.mark.parametrize(
    ("rate", "decay"),
    [(compounding_decay.learning_rate_decay, section_6_2), (compounding_decay.linear_decay, section_a_1)],
)
def test_decays_by_epoch_are_the_documents(rate, decay):
    expected = np.repeat(list(documents_rates(decay, 100)), 12)
    # A product of a hundred divisors, each rounded.
    assert rate(Span(updates=1200, epoch=12))(range(1200)) == pytest.approx(expected, rel=MANY_ROUNDINGS, abs=0)


def test_compounding_decay_learns_and_stops():
    straight, compounding = comparison.train(alone(compounding_decay), Options(epochs=60), QUIET)
    for training in (straight, compounding):
        # Their mean as the only answer leaves 0.059; the least squares of the training rows leave 0.032.
        assert training.laps[-1].test["validation loss"] < 0.05
    last, before = compounding.laps[-1].test["validation loss"], compounding.laps[-5].test["validation loss"]
    assert last == pytest.approx(before, rel=1e-4)
    assert straight.curve.rates["rate"][-1] == same(0.1 / 1.59)


@pytest.mark.parametrize("seed", [1, 2])
def test_boston_mlp_reaches_the_documents_error(seed):
    ours, torchs = comparison.train(boston_mlp.PROGRAM, Options(seed=seed), QUIET)
    assert ours.laps[-1].test["validation loss"] < 0.025
    # The same up to rounding, which a thousand updates magnify.
    assert ours.laps[-1].test["validation loss"] == pytest.approx(torchs.laps[-1].test["validation loss"], rel=1e-2)


def test_houses_are_scaled_by_what_the_training_rows_show():
    task = boston_mlp.houses(Options())
    x, y = task.train
    assert (len(x), task.facts["validation_rows"]) == (405, 101)
    assert (y.min().item(), y.max().item()) == (0, 1)
    assert x.mean(0).numpy() == pytest.approx(np.zeros(13), abs=1e-5)
    assert x.std(0, correction=0).numpy() == pytest.approx(np.ones(13), abs=1e-5)


def test_own_optimizer_goes_the_same_way(digits):
    results = own_optimizer.run(Options(digits, epochs=5), QUIET).results
    # 20 updates, each rounded at 6e-8 of a parameter.
    assert 0 < results["apart"] < 1e-5
    assert results["runs"][0]["test_accuracy"] > 0.7


def test_own_optimizer_is_adagrad():
    ours, torchs = ([nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.tensor([[3.0]]))] for _ in range(2))
    optimizers = own_optimizer.Adagrad(ours, lr=0.3, eps=0.1), torch.optim.Adagrad(torchs, lr=0.3, eps=0.1)
    for step in range(3):
        for parameters, optimizer in zip((ours, torchs), optimizers, strict=True):
            for parameter in parameters:
                parameter.grad = parameter.detach() * (step + 1)
            optimizer.step()
    for one, other in zip(ours, torchs, strict=True):
        assert one.detach().numpy() == pytest.approx(other.detach().numpy(), rel=SINGLE)


def test_mnist_decay_reads_iterations_in_two_ways(digits):
    batches, epochs = comparison.train(alone(mnist_decay), Options(digits, epochs=4), QUIET)
    assert batches.curve.rates["rate"] == same([0.01 / (1 + 0.001 * t) for t in range(4)])
    assert epochs.curve.rates["rate"] == pytest.approx(
        [0.01 / (1 + 0.001 * (t // 2)) for t in range(8)], rel=OTHER_ALGORITHM
    )
    assert epochs.laps[-1].test["test accuracy"] > 0.6


def test_rate_strategies_are_the_documents():
    span = Span(updates=1000, epoch=63)
    t = np.arange(1000)
    assert rate_strategies.exponential_decay(span)(t) == same(0.1 * 0.99**t)
    assert rate_strategies.fraction_decay(span)(t) == same(0.1 * 0.99 ** (t / 1000))
    assert rate_strategies.learning_rate_schedule(span)(t) == pytest.approx(
        0.1 * 0.99 ** (t / 100), rel=OTHER_ALGORITHM
    )
    assert rate_strategies.learning_rate_schedule(span)(10**6) == 1e-4  # the floor, which the document makes a lid
    drawn = rate_strategies.random_rate(span)(t)
    assert 0.01 <= drawn.min() < 0.011 < 0.099 < drawn.max() <= 0.1


def test_rate_strategies_are_compared_over_seeds(digits):
    outcome = rate_strategies.run(Options(digits, epochs=10, seed=4), QUIET)
    runs = outcome.results["runs"]
    assert len(runs) == 18
    accuracies = [100 * run["test_accuracy"] for run in runs[6:9]]
    assert len(set(accuracies)) > 1
    found = outcome.results["strategies"]["fraction"]
    assert found["accuracy"] == pytest.approx([np.mean(accuracies), np.std(accuracies, ddof=1)])
    assert outcome.rows[2]["strategy"] == "fraction"
    assert f"{found['accuracy'][0]:.2f}" in outcome.rows[2]["test accuracy in %"]


@pytest.fixture
def way(digits):
    """A learner of one of the three ways, and a batch."""
    task = two_tasks.digits(Options(digits))

    def make(number):
        training = Training(Plan(task, two_tasks.PROGRAM.settings[number].adapted(Options()), 0), GRADSTEP)
        return training.learner, next(training.batches)

    return make


def gradients_of(learner, batch):
    """One vector for each task, by a separate backward pass."""
    logits, image = learner.model(batch[0])
    for loss in (cross_entropy(logits, batch[1]), mse_loss(image, batch[0])):
        learner.model.zero_grad()
        loss.backward(retain_graph=True)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in learner.model.parameters()]
        yield nn.utils.parameters_to_vector(grads).numpy().copy()
    learner.model.zero_grad()


@pytest.mark.parametrize(("number", "weights"), [(0, (1, 1)), (1, (0.5, 0.5)), (2, (1, 0.5))])
def test_ways_to_share_a_gradient(way, number, weights):
    learner, batch = way(number)
    digit, image = gradients_of(learner, batch)
    learner.differentiate(list(two_tasks.losses(learner.model, *batch).values()))
    found = nn.utils.parameters_to_vector([p.grad for p in learner.model.parameters()]).numpy()
    # float32 sums of a hundred rows
    assert found == pytest.approx(weights[0] * digit + weights[1] * image, rel=1e-4, abs=1e-7)


def test_own_rates_are_of_the_tasks(way):
    learner, batch = way(0)
    assert learner.rates == {"shared": 1e-3, "digit": 5e-4, "image": 5e-3}
    learner.update(batch)
    assert all(0 < rate < two_tasks.RATES[name] for name, rate in learner.rates.items())


def test_moving_weights_follow_the_losses(way):
    learner, batch = way(2)
    losses = learner.update(batch)
    digit, image = learner.balance.weights
    # Each weight moves towards 1 / (2 loss): down for a loss above 1/2, up for one below 1.
    assert losses["digit"] > 0.5 > losses["image"]
    assert (digit, image) == pytest.approx((math.exp(-0.02), 0.5 * math.exp(0.02)), rel=SINGLE)


def test_two_tasks_are_both_learned(digits):
    outcome = two_tasks.run(Options(digits, epochs=6), QUIET)
    for run in outcome.results["runs"]:
        assert run["train_image"] < run["laps"][0]["train_image"] < 0.12
        assert run["train_digit"] < 2 < run["laps"][0]["train_digit"]
    picture = outcome.panels[-1]
    assert isinstance(picture, Picture)
    assert picture.images.shape == (4, 10, 28, 28)
    given, drawn = picture.images[0], picture.images[3]
    assert np.mean((drawn - given) ** 2) < 0.95 * np.mean(given**2)  # nearer than an empty sheet
