from typing import Annotated

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, NotNegative, Number, Rate
from gradstep.rules.hyperparameters import Group, Hyperparameter


class ASGD(Rule):
    r"""Averaged SGD: gradient descent with a falling rate, and an average of the parameters in the state.

    .. math::
        p_t &= (1 - \lambda \eta_t)\, p_{t-1} - \eta_t g_t \\
        a_t &= a_{t-1} + \mu_t (p_t - a_{t-1}) \\
        \eta_{t+1} &= \frac{\gamma}{(1 + \lambda \gamma t)^\alpha}, \quad \mu_{t+1} = \frac{1}{\max(1,\, t - t_0)}

    The average is in the state, as ``ax``; it is the parameter itself until ``t0`` updates. :math:`\eta` and
    :math:`\mu` are kept per parameter, as ``eta`` and ``mu``.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: :math:`\gamma`, at least 0: a number, a 0-d array or a schedule; :math:`\eta` follows it one update later.
        lambd: :math:`\lambda`, at least 0.
        alpha: :math:`\alpha`, at least 0.
        t0: the update at which averaging starts; may be infinite.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30,
    1992, in the form of ``torch.optim.ASGD``.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.ASGD([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.89999, 2.39998])
    """

    lr: Rate = 1e-2
    lambd: NotNegative = 1e-4
    alpha: NotNegative = 0.75
    t0: Annotated[Number, Hyperparameter(includes_high=True)] = 1e6
    weight_decay: Decay = 0

    numbers = ("step", "eta", "mu")
    positional_options = ("foreach", "maximize", "differentiable", "capturable")

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("asgd", ("ax",))

    @classmethod
    def initial(cls, name: str, group: Group) -> float:
        if name == "eta":
            return cls._read(group, "lr")
        return 1.0 if name == "mu" else 0.0
