from typing import ClassVar

from gradstep.rules.adam import Adam
from gradstep.rules.fields import Decay
from gradstep.rules.options import Options


class AdamW(Adam):
    r"""AdamW: Adam with weight decay that acts on the parameter, before the update, and not through the moments.

    .. math::
        p_t = (1 - \gamma\lambda)\, p_{t-1}
              - \frac{\gamma}{1 - \beta_1^t} \frac{m_t}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon}

    with the moments of :class:`Adam`. The factor :math:`1 - \gamma\lambda` is formed in double.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0; multiplied by the rate.
        amsgrad: keep the largest second moment.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101, Algorithm 2.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.85, 2.  ])
    """

    weight_decay: Decay = 1e-2

    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}
