from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, Rate, Switch, ThreeBetas
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import NO_SOURCES, Options, Sources


class Adan(Rule):
    r"""Adan: Nesterov momentum, computed from the gradient's change since the last update.

    .. math::
        d_t &= g_t - g_{t-1}, \quad d_1 = 0 \\
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, d_t \\
        n_t &= \beta_3 n_{t-1} + (1 - \beta_3) (g_t + \beta_2 d_t)^2 \\
        p_t &= \frac{1}{1 + \gamma\lambda} \left( p_{t-1} - \gamma \frac{m_t / (1 - \beta_1^t)
               + \beta_2 v_t / (1 - \beta_2^t)}{\sqrt{n_t} / \sqrt{1 - \beta_3^t} + \epsilon} \right)

    The betas are weights of the previous means, as in the authors' code; the paper's are weights of the new values.
    optax has :math:`1 - \beta_2` in place of the factor :math:`\beta_2`. The state holds the previous gradient as
    ``prev``.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1`, :math:`\beta_2` and :math:`\beta_3`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        no_prox: decay as :class:`AdamW` does, by :math:`1 - \gamma\lambda` before the update, and not as above.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
    arXiv:2208.06677, Algorithm 1.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Adan([w], lr=0.1, weight_decay=0.5)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.857143, 2.      ])
    """

    lr: Rate = 1e-3
    betas: ThreeBetas = (0.98, 0.92, 0.99)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    no_prox: Switch = False

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        rule = "adan_no_prox" if group["no_prox"] else "adan"
        return Kernel(rule, ("exp_avg", "exp_avg_diff", "exp_avg_sq", "prev"))

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        super().check(group, sources)
        if group["cautious"] and not group["no_prox"]:
            raise ValueError(
                "cautious=True chooses elements to decay, and Adan's division is of the whole update: pass no_prox=True"
            )
