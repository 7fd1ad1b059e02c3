from gradstep.rules.base import Kernel, Rule, check_nesterov
from gradstep.rules.fields import Decay, Finite, Momentum, Rate, Switch
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import NO_SOURCES, Sources


class SGD(Rule):
    r"""Stochastic gradient descent, with optional momentum.

    .. math::
        m_t &= \mu m_{t-1} + (1 - d)\, g_t, \quad m_1 = g_1 \\
        u_t &= g_t \;(\mu = 0), \quad m_t \;(\text{momentum}), \quad g_t + \mu m_t \;(\text{Nesterov}) \\
        p_t &= p_{t-1} - \gamma u_t

    The rate :math:`\gamma` is outside of the buffer, so a change of rate acts at once. A parameter's
    first update starts the buffer with the gradient itself, without dampening. Without
    momentum the gradient may be sparse: :class:`gradstep.Rows`, or a torch COO tensor.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        momentum: :math:`\mu`, at least 0.
        dampening: :math:`d`.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        nesterov: needs ``momentum`` above 0 and ``dampening`` 0.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013, in the
    form of ``torch.optim.SGD``.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.SGD([w], lr=0.5, momentum=0.9)
    >>> opt.step([np.array([1.0, -1.0])])
    >>> opt.step([np.array([1.0, -1.0])])
    >>> w
    array([-0.45,  3.45])
    """

    lr: Rate = 1e-3
    momentum: Momentum = 0
    dampening: Finite = 0
    weight_decay: Decay = 0
    nesterov: Switch = False

    numbers = ()

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        if not cls._read(group, "momentum"):
            return Kernel("sgd")
        return Kernel("sgd_nesterov" if group["nesterov"] else "sgd_momentum", ("momentum_buffer",))

    @classmethod
    def takes_rows(cls, group: Group) -> bool:
        return not cls._read(group, "momentum")

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        super().check(group, sources)
        check_nesterov(group, sources)
