from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, NotNegative, Rate
from gradstep.rules.hyperparameters import Group


class NAdam(Rule):
    r"""NAdam: Adam with Nesterov momentum that warms up.

    .. math::
        \mu_t &= \beta_1 (1 - \tfrac12\, 0.96^{\,t \psi}), \quad \Pi_t = \Pi_{t-1}\, \mu_t \\
        d_t &= \sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon \\
        p_t &= p_{t-1} - \gamma \left( \frac{1 - \mu_t}{1 - \Pi_t} \frac{g_t}{d_t}
               + \frac{\mu_{t+1}}{1 - \Pi_t\, \mu_{t+1}} \frac{m_t}{d_t} \right)

    with the moments of :class:`Adam`. The product :math:`\Pi` is kept per parameter, as ``mu_product``. optax and
    timm give this name to other rules, without the schedule :math:`\psi`.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        momentum_decay: :math:`\psi`, at least 0.
        decoupled_weight_decay: decay as :class:`AdamW` does.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016, Algorithm 8, in the form of
    ``torch.optim.NAdam``.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.NAdam([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.894355, 2.105645])
    """

    lr: Rate = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    momentum_decay: NotNegative = 4e-3

    numbers = ("step", "mu_product")
    positional_options = ("decoupled_weight_decay",)

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("nadam", ("exp_avg", "exp_avg_sq"))

    @classmethod
    def initial(cls, name: str, group: Group) -> float:
        return 1.0 if name == "mu_product" else 0.0
