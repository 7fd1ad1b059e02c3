from dataclasses import KW_ONLY

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Rate
from gradstep.rules.hyperparameters import Group


class SparseAdam(Rule):
    r"""Adam that leaves rows without a gradient unchanged, for embeddings.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 \\
        p_t &= p_{t-1} - \gamma \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m_t}{\sqrt{v_t} + \epsilon}

    for the rows that a sparse gradient holds (:class:`gradstep.Rows`, or a torch COO tensor), whatever their values;
    the moments and parameters of all others stay, while t counts every update of the tensor. :math:`\epsilon` is added
    before the correction, where Adam adds it after. A dense gradient holds all rows.

    Args:
        params: arrays (or dicts with groups of arrays) of float64, float32, float16 or bfloat16, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        maximize: follow the gradient upwards.
        weight_decay: per update, at least 0, for dense gradients; a sparse one with it is refused.
        options: see :class:`gradstep.rules.options.Options`; ``ema`` and ``zero_grad`` are refused with sparse
            gradients.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: ``torch.optim.SparseAdam``; Kingma and Ba, arXiv:1412.6980, end of section 2, for :math:`\epsilon`.

    >>> import numpy as np, gradstep
    >>> table = np.zeros((3, 2))
    >>> opt = gradstep.SparseAdam([table], lr=0.1)
    >>> opt.step([gradstep.Rows(np.array([2]), np.array([[1.0, -4.0]]))])
    >>> table.round(6)
    array([[ 0. ,  0. ],
           [ 0. ,  0. ],
           [-0.1,  0.1]])
    """

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    _: KW_ONLY
    weight_decay: Decay = 0

    takes_complex = False
    needs_dense_parameters = True
    positional_options = ("maximize",)

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("sparse_adam", ("exp_avg", "exp_avg_sq"))

    @classmethod
    def takes_rows(cls, group: Group) -> bool:
        return True
