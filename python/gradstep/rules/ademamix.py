from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, NotNegative, Rate, ThreeBetas
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class AdEMAMix(Rule):
    r"""AdEMAMix: Adam with a second mean of the gradients, which remembers tens of thousands of updates.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
        s_t &= \beta_3(t)\, s_{t-1} + (1 - \beta_3(t))\, g_t \\
        p_t &= (1 - \gamma\lambda)\, p_{t-1}
               - \gamma \frac{m_t / (1 - \beta_1^t) + \alpha(t)\, s_t}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon}

    with the second moment of :class:`Adam`. The slow mean :math:`s` is not corrected for its start at zero; instead its
    weight and decay warm up until :math:`T_\alpha` and :math:`T_{\beta_3}`:

    .. math::
        \alpha(t) = \alpha \min(t / T_\alpha,\, 1), \qquad
        \beta_3(t) = \min\left( \exp \frac{\ln\beta_1 \ln\beta_3}
                     {(1 - t/T_{\beta_3}) \ln\beta_3 + (t/T_{\beta_3}) \ln\beta_1},\; \beta_3 \right)

    so that the half-life of the slow mean grows linearly. The paper sets both to the length of the training. The slow
    mean needs float32: in bfloat16 (``state_dtype="param"``) the default :math:`\beta_3` is lost in rounding.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1`, :math:`\beta_2` and :math:`\beta_3`, from 0 to below 1.
        alpha: :math:`\alpha`, the weight of the slow mean, at least 0.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0; decoupled, so multiplied by the rate.
        alpha_warmup: :math:`T_\alpha` in updates, at least 0; 0 is none.
        beta3_warmup: :math:`T_{\beta_3}` in updates, at least 0; 0 is none.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Pagliardini, Ablin and Grangier, "The AdEMAMix Optimizer: Better, Faster, Older", arXiv:2409.03137,
    Algorithm 1.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.AdEMAMix([w], lr=0.1, alpha_warmup=1000, beta3_warmup=1000)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.899975, 2.100025])
    """

    lr: Rate = 1e-3
    betas: ThreeBetas = (0.9, 0.999, 0.9999)
    alpha: NotNegative = 5.0
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    alpha_warmup: NotNegative = 0
    beta3_warmup: NotNegative = 0

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("ademamix", ("exp_avg_fast", "exp_avg_slow", "exp_avg_sq"))
