from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group


class Adamax(Rule):
    r"""Adamax: Adam with the infinity norm in place of the root of the mean square.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
        n_t &= \max(\beta_2 n_{t-1},\; |g_t| + \epsilon) \\
        p_t &= p_{t-1} - \frac{\gamma}{1 - \beta_1^t} \frac{m_t}{n_t}

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0, inside of the maximum (Keras adds it to the denominator).
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Kingma and Ba, arXiv:1412.6980, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Adamax([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0

    positional_options = ("foreach",)

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("adamax", ("exp_avg", "exp_inf"))
