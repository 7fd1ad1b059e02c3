from dataclasses import KW_ONLY
from typing import Annotated

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Number, Rate
from gradstep.rules.hyperparameters import Group, Hyperparameter

Etas = Annotated[
    tuple[Number, Number],
    Hyperparameter(index=0, high=1.0, includes_low=False, name="eta_minus"),
    Hyperparameter(index=1, low=1.0, includes_low=False, name="eta_plus"),
]
StepSizes = Annotated[
    tuple[Number, Number],
    Hyperparameter(index=0, name="step_min"),
    Hyperparameter(index=1, includes_high=True, name="step_max"),
]


class Rprop(Rule):
    r"""Rprop: a step size per element that grows while the gradient keeps its sign and shrinks when it turns.

    .. math::
        f_t &= \eta_+ \;(g_t g_{t-1} > 0), \quad \eta_- \;(g_t g_{t-1} < 0), \quad 1 \;(\text{else}) \\
        s_t &= \min(\max(f_t s_{t-1},\, s_{\min}),\, s_{\max}) \\
        p_t &= p_{t-1} - s_t\, \mathrm{sign}(g_t)

    Where the sign turned, the gradient counts as 0: no step, and the next one is free to grow. For full batches.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: the first step size :math:`s_0`, at least 0; it is not used again (but by decoupled decay).
        etas: :math:`\eta_-` below 1 and :math:`\eta_+` above 1.
        step_sizes: :math:`s_{\min}` and :math:`s_{\max}`.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning", ICNN 1993, in the
    form of ``torch.optim.Rprop``.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Rprop([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 1e-2
    etas: Etas = (0.5, 1.2)
    step_sizes: StepSizes = (1e-6, 50)
    _: KW_ONLY
    weight_decay: Decay = 0

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("rprop", ("prev", "step_size"))

    @classmethod
    def initial(cls, name: str, group: Group) -> float:
        return cls._read(group, "lr") if name == "step_size" else 0.0
