import math
from typing import Annotated, ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Number, Rate, Switch
from gradstep.rules.hyperparameters import Group, Hyperparameter
from gradstep.rules.options import Options


class LAMB(Rule):
    r"""LAMB: Adam's direction, scaled in each tensor to the tensor's norm, for large batches.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \quad v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 \\
        u_t &= \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon} + \lambda p_{t-1} \\
        r_t &= \lVert p_{t-1} \rVert / \lVert u_t \rVert, \quad 1 \text{ if either norm is } 0 \\
        p_t &= p_{t-1} - \gamma r_t u_t

    The defaults are the paper's, with a decay of 0.01. NVIDIA's (apex, NVLAMB) clips all gradients together first,
    ``clip_norm=1.0``; its formula is :math:`g / \max(1, \lVert g \rVert / c)`, and the option's, torch's, has
    :math:`10^{-6}` added to the norm. Without apex's ``use_nvlamb``, and in timm, tensors without decay keep a
    ratio of 1: ``always_adapt=False``. timm's ``trust_clip`` (LAMBC) is ``max_ratio=1.0``; its ``decoupled_decay``, a
    decay outside of the norm, is not offered. The LAMB of bitsandbytes is another rule.

    Norms are summed in float64 in an order that does not depend on threads. They need a separate pass in the same
    call: it reads p, g, m and v, 16 bytes per parameter in float32 in addition to the 28 of the update. A
    NaN or an infinity in a gradient is in the norm too, and reaches every element of the tensor: pass
    ``skip_nonfinite=True`` to make no update then. Squares of float64 numbers above 1e154 overflow: an infinite norm of
    p has the ratio ``max_ratio`` or :math:`2^{100}`, one of the direction moves nothing, and both together have 1.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0, in the direction and its norm; with
            ``decoupled_weight_decay=False`` in the gradient, before the moments.
        max_ratio: the largest :math:`r`, above 0.
        bias_correction: divide by :math:`1 - \beta^t` as above; without, as if they were 1.
        grad_averaging: average gradients as above; without, m is their sum, :math:`1 / (1 - \beta_1)` times as large.
            The state holds the mean in either case.
        always_adapt: False has a ratio of 1 where there is no decay.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", arXiv:1904.00962,
    Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([3.0, 4.0])
    >>> opt = gradstep.LAMB([w], lr=0.1, weight_decay=0.0)
    >>> opt.step([np.array([1.0, -1.0])])
    >>> w.round(6)  # the direction is 1, -1 and its norm the root of 2
    array([2.646447, 4.353553])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-6
    weight_decay: Decay = 1e-2
    max_ratio: Annotated[Number, Hyperparameter(includes_low=False, includes_high=True)] = math.inf
    bias_correction: Switch = True
    grad_averaging: Switch = True
    always_adapt: Switch = True

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("lamb", ("exp_avg", "exp_avg_sq"))
