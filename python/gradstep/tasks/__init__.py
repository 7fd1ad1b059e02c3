"""Several tasks in one model: a rate for each, one rate for their mean, or weights that are learned.

A separate rate for the parameters of each task:

>>> import numpy as np, gradstep
>>> from gradstep import tasks
>>> trunk, head_a, head_b = (np.ones(2) for _ in range(3))
>>> groups = tasks.task_groups(
...     {"shared": [trunk], "a": [head_a], "b": [head_b]},
...     {"shared": 0.1, "a": gradstep.CosineDecay(0.2, steps=100), "b": 0.05},
... )
>>> opt = gradstep.SGD(groups)

One rate for the shared parameters, with the weighted mean of the tasks' gradients:

>>> of_a, of_b = [np.array([1.0, 0.0])], [np.array([0.0, 4.0])]
>>> tasks.weighted_mean([of_a, of_b], weights=[3, 1])
[array([0.75, 1.  ])]

Learned weights: :class:`UncertaintyWeights` and :class:`GradNorm`, for NumPy and torch alike, because they only need
the losses and the norms.
"""

from gradstep.tasks.gradients import weighted_mean, weighted_sum
from gradstep.tasks.gradnorm import GradNorm
from gradstep.tasks.groups import task_groups
from gradstep.tasks.uncertainty import UncertaintyWeights

__all__ = ["GradNorm", "UncertaintyWeights", "task_groups", "weighted_mean", "weighted_sum"]
