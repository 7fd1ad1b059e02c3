from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate, Switch
from gradstep.rules.hyperparameters import Group


class Adam(Rule):
    r"""Adam: momentum over the root of the mean square, both corrected for their start at zero.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 \\
        p_t &= p_{t-1} - \frac{\gamma}{1 - \beta_1^t} \frac{m_t}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon}

    With ``amsgrad`` the root is of the largest :math:`v` so far (before its correction). :math:`\epsilon` is added
    after the correction; TensorFlow and SparseAdam add it before.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        amsgrad: keep the largest second moment.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980, Algorithm 1; amsgrad:
    Reddi et al., arXiv:1904.09237, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Adam([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    amsgrad: Switch = False

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        arrays = ("exp_avg", "exp_avg_sq")
        if group["amsgrad"]:
            return Kernel("amsgrad", (*arrays, "max_exp_avg_sq"))
        return Kernel("adam", arrays)
