from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group


class RAdam(Rule):
    r"""RAdam: Adam with its first steps rectified for the variance of the second moment.

    .. math::
        \rho_\infty &= \frac{2}{1 - \beta_2} - 1, \quad \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} \\
        r_t &= \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\,\rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\,\rho_t}} \\
        u_t &= \frac{r_t \sqrt{1 - \beta_2^t}}{\sqrt{v_t} + \epsilon}\, m_t \;(\rho_t > 5), \quad m_t \;(\text{else}) \\
        p_t &= p_{t-1} - \frac{\gamma}{1 - \beta_1^t} u_t

    with the moments of :class:`Adam`. The threshold is torch's 5 (the paper has 4); below it the step is not
    normalised.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0, not scaled by the correction.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        decoupled_weight_decay: decay as :class:`AdamW` does.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", arXiv:1908.03265, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.RAdam([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.4])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0

    positional_options = ("decoupled_weight_decay",)

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("radam", ("exp_avg", "exp_avg_sq"))
