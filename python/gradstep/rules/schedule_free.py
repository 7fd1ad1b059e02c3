from typing import Annotated, ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, NotNegative, Number, Rate, beta
from gradstep.rules.hyperparameters import Group, Hyperparameter
from gradstep.rules.options import Options


class ScheduleFreeSGD(Rule):
    r"""Schedule-Free SGD: an average of all iterates instead of a falling rate.

    .. math::
        d_t &= g_t + \lambda y_t \\
        c_t &= w_t / \textstyle\sum_{i \le t} w_i, \quad w_t = t^r \gamma_{\max}^q \\
        z_{t+1} &= z_t - \gamma d_t \\
        x_{t+1} &= (1 - c_t)\, x_t + c_t z_{t+1} \\
        y_{t+1} &= \mu x_{t+1} + (1 - \mu)\, z_{t+1}

    with :math:`\gamma_{\max}` the largest rate so far and :math:`x_1 = y_1 = z_1` the parameter. During training the
    parameter holds :math:`y`, at which gradients are to be computed. ``eval()`` replaces it by the average :math:`x`,
    to evaluate or to save, and ``train()`` restores :math:`y`. A step in evaluation mode is refused.
    Statistics of batch normalisation are those of :math:`y`: compute them anew at :math:`x`.

    Warm up with a schedule, ``lr=gradstep.Constant(1.0).warmup(500)``, and do not let the rate fall. The state holds
    :math:`z`, and per parameter ``weight_sum`` and ``lr_max`` in float64.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place; with
            16 bits each change of mode rounds them.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        momentum: :math:`\mu`, above 0 and below 1; it must not change, because :math:`x` is computed with it.
        weight_decay: :math:`\lambda` per update, at least 0.
        r: :math:`r`, at least 0: above 0 late iterates weigh more.
        weight_lr_power: :math:`q`, at least 0: how iterates of a warm-up weigh.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Defazio et al., "The Road Less Scheduled", arXiv:2405.15682.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.ScheduleFreeSGD([w], lr=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     opt.step([np.array([1.0, -1.0])])
    >>> w
    array([0.125, 2.875])
    >>> opt.eval()
    >>> w
    array([0.25, 2.75])
    """

    lr: Rate = 1.0
    momentum: Annotated[Number, Hyperparameter(high=1.0, includes_low=False)] = 0.9
    weight_decay: Decay = 0
    r: NotNegative = 0
    weight_lr_power: NotNegative = 2

    numbers = ("step", "weight_sum", "lr_max")
    exact_numbers = ("weight_sum", "lr_max")
    momentum_name = "momentum"
    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("schedule_free_sgd", ("z",))


class ScheduleFreeAdamW(Rule):
    r"""Schedule-Free AdamW: an average of all iterates instead of a falling rate and of Adam's first moment.

    .. math::
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 \\
        d_t &= \frac{g_t}{\sqrt{v_t} / \sqrt{1 - \beta_2^t} + \epsilon} + \lambda y_t

    and the rest as :class:`ScheduleFreeSGD`, with :math:`\beta_1` for its momentum: the parameter holds :math:`y`,
    ``eval()`` replaces it by the average :math:`x`, and ``train()`` restores :math:`y`. The decay acts at :math:`y`.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place; with
            16 bits each change of mode rounds them.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1`, above 0 and below 1, which must not change; and :math:`\beta_2`, from 0 to below 1.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0; with ``decoupled_weight_decay=False`` it is added to the
            gradient, before that is normalised.
        r: at least 0: above 0 late iterates weigh more.
        weight_lr_power: at least 0: how iterates of a warm-up weigh.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Defazio et al., "The Road Less Scheduled", arXiv:2405.15682, Algorithm 1.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.ScheduleFreeAdamW([w], lr=0.1)
    >>> for _ in range(2):
    ...     opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.845, 2.155])
    >>> opt.eval()
    >>> w.round(6)
    array([0.85, 2.15])
    """

    lr: Rate = 2.5e-3
    betas: Annotated[tuple[Number, Number], beta(0, includes_low=False), beta(1)] = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    r: NotNegative = 0
    weight_lr_power: NotNegative = 2

    numbers = ScheduleFreeSGD.numbers
    exact_numbers = ScheduleFreeSGD.exact_numbers
    momentum_name = "beta1"
    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("schedule_free_adamw", ("z", "exp_avg_sq"))
