from typing import Annotated

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, Number, Rate
from gradstep.rules.hyperparameters import Group, Hyperparameter


class Adadelta(Rule):
    r"""Adadelta: steps in the units of the parameter, from running averages of both squares.

    .. math::
        s_t &= \rho s_{t-1} + (1 - \rho)\, g_t^2 \\
        u_t &= \frac{\sqrt{d_{t-1} + \epsilon}}{\sqrt{s_t + \epsilon}}\, g_t \\
        d_t &= \rho d_{t-1} + (1 - \rho)\, u_t^2 \\
        p_t &= p_{t-1} - \gamma u_t

    Both :math:`\epsilon` are inside of the roots; the average of the updates does not see the rate.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        rho: :math:`\rho`, from 0 to 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701, Algorithm 1.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Adadelta([w])
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.996838, 2.003162])
    """

    lr: Rate = 1.0
    rho: Annotated[Number, Hyperparameter(high=1.0, includes_high=True)] = 0.9
    eps: Epsilon = 1e-6
    weight_decay: Decay = 0

    positional_options = ("foreach",)

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("adadelta", ("square_avg", "acc_delta"))
