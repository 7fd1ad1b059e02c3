"""Numbers to predict as a task: features and targets from a table."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from gradstep_demo.data import Array
from gradstep_demo.task import Metric, Task

VALIDATION = Metric("validation loss")
EVERY = 5  # each fifth row is validated on, the others are trained on


def table(name: str, columns: tuple[Array, Array], build: Callable[[], nn.Module]) -> Task:
    """Columns of features and of one target, for a model that gives one number for each row.

    Features are scaled to mean 0 and deviation 1 and targets to [0, 1], by what the training rows show.
    """
    x, y = columns
    held = np.arange(len(y)) % EVERY == EVERY - 1
    features = _tensor((x - x[~held].mean(0)) / x[~held].std(0))
    lowest, highest = y[~held].min(), y[~held].max()
    targets = _tensor((y - lowest) / (highest - lowest)).unsqueeze(1)
    x_held, y_held = features[held], targets[held]
    return Task(
        data=name,
        train=(features[~held], targets[~held]),
        build=build,
        loss=mse_loss,
        measure=lambda model: {VALIDATION.name: float(mse_loss(model(x_held), y_held))},
        metrics=(VALIDATION,),
        loss_name="Mean squared error",
        facts={"train_rows": int(np.sum(~held)), "validation_rows": int(np.sum(held))},
    )


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
