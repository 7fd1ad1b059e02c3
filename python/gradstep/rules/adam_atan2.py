from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, NotNegative, Rate
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class AdamAtan2(Rule):
    r"""Adam-atan2: Adam with the division replaced by an angle, which needs no epsilon.

    .. math::
        p_t = (1 - \gamma\lambda)\, p_{t-1}
              - \gamma\, a\, \mathrm{atan2}\left( \frac{m_t}{1 - \beta_1^t},\;
              b\, \frac{\sqrt{v_t}}{\sqrt{1 - \beta_2^t}} \right)

    with the moments of :class:`Adam`. The update does not change with the scale of the gradients, however small they
    are, and is at most :math:`\gamma a \pi / 2`; where every gradient was 0 it is 0. At the default ``a`` it is about
    the rate where Adam's is.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        a: the scale of the update, at least 0.
        b: the factor of the root, at least 0: the larger it is, the closer is the angle to Adam's ratio.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Everett et al., "Scaling Exponents Across Parameterizations and Optimizers", arXiv:2407.05872.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0, 3.0])
    >>> opt = gradstep.AdamAtan2([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4e-30, 0.0])])
    >>> w.round(6)
    array([0.900254, 2.099746, 3.      ])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    weight_decay: Decay = 0
    a: NotNegative = 1.27
    b: NotNegative = 1.0

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("adam_atan2", ("exp_avg", "exp_avg_sq"))
