"""A training loop of torch that does nothing but step."""

import torch

BASE = 0.3


def optimizer(kind="SGD", **options):
    options = {"lr": BASE, **({"momentum": 0.9} if kind == "SGD" else {}), **options}
    return getattr(torch.optim, kind)([torch.zeros(1)], **options)


def run(scheduler, steps, read=lambda group: group["lr"]):
    """The inputs of so many updates."""
    optimizer = scheduler.optimizer
    values = []
    for t in range(steps):
        values.append(float(read(optimizer.param_groups[0])))
        optimizer.step()
        if t + 1 < steps:
            scheduler.step()
    return values
