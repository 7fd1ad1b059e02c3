from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Rate
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class Lion(Rule):
    r"""Lion: the sign of a momentum that looks ahead.

    .. math::
        u_t &= \mathrm{sign}(\beta_1 m_{t-1} + (1 - \beta_1)\, g_t) \\
        m_t &= \beta_2 m_{t-1} + (1 - \beta_2)\, g_t \\
        p_t &= (1 - \gamma\lambda)\, p_{t-1} - \gamma u_t

    sign(0) is 0 and NaN stays NaN. Every element moves by the rate: use a third to a tenth of Adam's.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Lion([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 1e-4
    betas: Betas = (0.9, 0.99)
    weight_decay: Decay = 0

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("lion", ("exp_avg",))
