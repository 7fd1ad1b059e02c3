"""Tables of numbers to predict a target from: houses and patients. NumPy only."""

import numpy as np

from gradstep_demo.data import Array

EVERY = 5  # each fifth row is validated on, the others are trained on


def houses() -> tuple[Array, Array, Array, Array]:
    """506 houses in Boston and their prices, as `split` returns them."""
    from mlxtend.data import boston_housing_data

    return split(*boston_housing_data())


def patients() -> tuple[Array, Array, Array, Array]:
    """442 patients with diabetes and its progress in a year, as `split` returns them."""
    from sklearn.datasets import load_diabetes

    return split(*load_diabetes(return_X_y=True))


def split(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """The rows of a table to train on and those to validate on.

    Features are scaled to mean 0 and deviation 1 and targets to [0, 1], by what the training rows show.

    Returns:
        x_train, y_train, x_valid, y_valid, all float32 with two axes.
    """
    held = np.arange(len(y)) % EVERY == EVERY - 1
    features = (x - x[~held].mean(0)) / x[~held].std(0)
    lowest, highest = y[~held].min(), y[~held].max()
    targets = ((y - lowest) / (highest - lowest))[:, np.newaxis]
    features, targets = features.astype(np.float32), targets.astype(np.float32)
    return features[~held], targets[~held], features[held], targets[held]
