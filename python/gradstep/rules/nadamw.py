from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class NAdamW(Rule):
    r"""NAdamW: AdamW with Nesterov momentum.

    .. math::
        \bar m_t &= \beta_1 m_t + (1 - \beta_1)\, g_t \\
        p_t &= (1 - \gamma\lambda)\, p_{t-1}
               - \frac{\gamma}{1 - \beta_1^t} \frac{\bar m_t}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon}

    with the moments of :class:`Adam`: the mean is moved by the same gradient once more. It is not :class:`NAdam` with
    decoupled decay, whose momentum warms up; optax's ``nadamw`` corrects :math:`m_t` by :math:`1 - \beta_1^{t+1}`.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016, in the form of Dahl et al.,
    "Benchmarking Neural Network Training Algorithms", arXiv:2306.07179.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.NAdamW([w], lr=0.1, weight_decay=0.5)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.76, 2.09])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 1e-2

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("nadamw", ("exp_avg", "exp_avg_sq"))
