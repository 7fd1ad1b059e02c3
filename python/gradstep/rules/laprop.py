from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class LaProp(Rule):
    r"""LaProp: Adam with the gradient normalised before it is averaged, so that the betas are independent.

    .. math::
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 \\
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \frac{g_t}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon} \\
        p_t &= (1 - \gamma\lambda)\, p_{t-1} - \frac{\gamma}{1 - \beta_1^t} m_t

    The rate :math:`\gamma` is outside of the mean, so a change of rate acts at once. timm and the authors' code keep it
    inside and decay after the update; at one rate and without decay both are the same.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Ziyin, Wang and Ueda, "LaProp: Separating Momentum and Adaptivity in Adam", arXiv:2002.04839.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.LaProp([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 4e-4
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-15
    weight_decay: Decay = 0

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("laprop", ("exp_avg", "exp_avg_sq"))
