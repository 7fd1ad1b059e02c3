from typing import ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import Options


class StableAdamW(Rule):
    r"""StableAdamW: AdamW with a lower rate for a tensor whose gradients are larger than their mean square.

    .. math::
        \hat\beta &= \beta \frac{1 - \beta^{t-1}}{1 - \beta^t} \\
        m_t &= \hat\beta_1 m_{t-1} + (1 - \hat\beta_1)\, g_t, \quad
        v_t = \hat\beta_2 v_{t-1} + (1 - \hat\beta_2)\, g_t^2 \\
        \gamma_t &= \gamma / \max\Big(1, \sqrt{\operatorname{mean}(g_t^2 / \max(v_t, \epsilon^2))}\Big) \\
        p_t &= (1 - \gamma_t \lambda)\, p_{t-1} - \gamma_t \frac{m_t}{\sqrt{v_t} + \epsilon}

    The mean is over each tensor by itself, and the decay shrinks with the rate. The moments are corrected as they are
    formed, so that the state is not that of :class:`AdamW`. Gradients need not be clipped as well.

    The mean is summed in float64 in an order that does not depend on threads. It needs a separate pass in the same
    call: it reads g and v, 8 bytes per parameter in float32 in addition to the 28 of the update. A NaN or
    an infinity in a gradient is in the mean too, and reaches every element of the tensor: pass
    ``skip_nonfinite=True`` to make no update then.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Wortsman et al., "Stable and low-precision training for large-scale vision-language models",
    arXiv:2304.13013, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([0.0])
    >>> opt = gradstep.StableAdamW([w], lr=0.1, betas=(0.0, 0.99), eps=0.0, weight_decay=0.0)
    >>> for g in (1.0, 1.0, 100.0):
    ...     opt.step([np.array([g])])
    >>> w.round(6)  # g / sqrt(v) of the last was 1.72: it made a step of 0.1
    array([-0.3])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.99)
    eps: Epsilon = 1e-6
    weight_decay: Decay = 1e-2

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("stable_adamw", ("exp_avg", "exp_avg_sq"))
