from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Fraction, Rate
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class Signum(Rule):
    r"""Signum: the sign of the momentum.

    .. math::
        m_t &= \mu m_{t-1} + (1 - \mu)\, g_t \\
        p_t &= (1 - \gamma\lambda)\, p_{t-1} - \gamma\, \mathrm{sign}(m_t)

    sign(0) is 0 and NaN stays NaN. With ``momentum=0`` this is signSGD.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        momentum: :math:`\mu`, from 0 to below 1.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", arXiv:1802.04434, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Signum([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 1e-3
    momentum: Fraction = 0.9
    weight_decay: Decay = 0

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("signum", ("momentum_buffer",))
