from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group


class ADOPT(Rule):
    r"""ADOPT: Adam that converges with any beta, because a gradient is normalised by those before it.

    .. math::
        v_1 &= g_1^2, \quad p_1 = p_0 \\
        n_t &= \mathrm{clip}\left( \frac{g_t}{\max(\sqrt{v_{t-1}},\, \epsilon)},\; (t - 1)^{1/4} \right) \\
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, n_t \\
        p_t &= p_{t-1} - \gamma m_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2

    A parameter's first update only starts its second moment: the parameter stays, decay included. :math:`\epsilon`
    bounds the divisor from below and is not added. timm's clip has the exponent 0.333.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Taniguchi et al., "ADOPT: Modified Adam Can Converge with Any :math:`\beta_2` with the Optimal Rate",
    arXiv:2411.02853, the clipped form.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.ADOPT([w], lr=0.5)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w
    array([1., 2.])
    >>> opt.step([np.array([0.5, -8.0])])
    >>> w.round(6)
    array([0.975, 2.05 ])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.9999)
    eps: Epsilon = 1e-6
    weight_decay: Decay = 0

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("adopt", ("exp_avg", "exp_avg_sq"))
