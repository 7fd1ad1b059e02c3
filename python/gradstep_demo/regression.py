"""Numbers to predict as a task: features and targets from a table."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import mse_loss

from gradstep_demo.data import Array
from gradstep_demo.task import Metric, Task

VALIDATION = Metric("validation loss")


def table(name: str, parts: tuple[Array, Array, Array, Array], build: Callable[[], nn.Module]) -> Task:
    """A table as `tables.split` returns it, for a model that gives one number for each row."""
    x, y, x_valid, y_valid = map(torch.from_numpy, parts)
    return Task(
        data=name,
        train=(x, y),
        build=build,
        loss=mse_loss,
        measure=lambda model: {VALIDATION.name: float(mse_loss(model(x_valid), y_valid))},
        metrics=(VALIDATION,),
        loss_name="Mean squared error",
        facts={"train_rows": len(y), "validation_rows": len(y_valid)},
    )
