"""Trainings to search over: a synthetic one whose best rate is known, and digits."""

import math

import numpy as np

import gradstep

BEST = -2.0
"""log10 of the best rate of `distance`."""


def distance(trial):
    """How far the rate is from the best, in decades squared, and what more updates would still improve."""
    done = (trial.state or 0) + trial.stop - trial.start
    trial.state = done
    return (math.log10(trial["lr"]) - BEST) ** 2 + 1 / done


class Digits:
    """Softmax regression on scikit-learn's digits by gradstep.SGD; the metric is the loss on a held-out third."""

    def __init__(self):
        from sklearn.datasets import load_digits

        data = load_digits()
        x, self.y = data.data / 16, data.target
        self.x = np.hstack([x, np.ones((len(x), 1))])
        self.test = np.arange(len(x)) % 3 == 0

    def loss_and_gradient(self, w, rows):
        scores = self.x[rows] @ w
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        shares /= shares.sum(axis=1, keepdims=True)
        right = np.arange(len(shares)), self.y[rows]
        loss = -np.mean(np.log(shares[right]))
        shares[right] -= 1
        return loss, self.x[rows].T @ shares / len(shares)

    def train(self, trial):
        if trial.state is None:
            w = np.zeros((65, 10))
            rate = trial["lr"] * trial["shape"]
            trial.state = w, gradstep.SGD([w], lr=rate, momentum=0.9), np.random.default_rng(trial.seed)
        w, optimizer, rng = trial.state
        for _ in range(trial.start, trial.stop):
            rows = rng.choice(np.flatnonzero(~self.test), 32)
            optimizer.step([self.loss_and_gradient(w, rows)[1]])
        return self.loss_and_gradient(w, self.test)[0]
