from gradstep.rules.base import Kernel, Rule, check_nesterov
from gradstep.rules.fields import Decay, Epsilon, Finite, Momentum, Positive, Rate, Switch
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import NO_SOURCES, Sources


class LARS(Rule):
    r"""LARS: SGD with momentum, with the gradient of each tensor scaled to the tensor's norm.

    .. math::
        r_t &= \frac{c \lVert p_{t-1} \rVert}{\lVert g_t \rVert + \lambda \lVert p_{t-1} \rVert + \epsilon},
               \quad 1 \text{ if either norm is } 0 \\
        m_t &= \mu m_{t-1} + (1 - d)\, r_t (g_t + \lambda p_{t-1}), \quad m_1 = r_1 (g_1 + \lambda p_0) \\
        p_t &= p_{t-1} - \gamma m_t

    and :math:`r_t (g_t + \lambda p_{t-1}) + \mu m_t` in the place of :math:`m_t` for Nesterov's. The rate
    :math:`\gamma` is outside of the buffer, as in timm and :class:`SGD`; optax and the paper have it inside, and optax
    takes the norm of :math:`g + \lambda p`. Leave biases and the parameters of normalisations to a group with
    ``weight_decay=0`` and ``always_adapt=False``, where this is SGD. The LARS of bitsandbytes is another rule.

    Norms are summed in float64 in an order that does not depend on threads. They need a separate pass in the same
    call: it reads p and g, 8 bytes per parameter in float32 in addition to the 20 of the update (12 without momentum).
    A NaN or an infinity in a gradient is in the norm too, and reaches every element of the tensor: pass
    ``skip_nonfinite=True`` to make no update then. Squares of float64 numbers above 1e154 overflow: an infinite norm of
    p has the ratio :math:`2^{100}`, one of the gradient moves nothing, and both together have 1.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        momentum: :math:`\mu`, at least 0.
        dampening: :math:`d`.
        weight_decay: :math:`\lambda` per update, at least 0; with ``decoupled_weight_decay=True`` it is in neither
            the gradient nor the ratio.
        nesterov: needs ``momentum`` above 0 and ``dampening`` 0.
        trust_coeff: :math:`c`, above 0.
        eps: :math:`\epsilon`, at least 0.
        trust_clip: never go further than the rate alone would: :math:`\min(r / \gamma, 1)` for :math:`r`, as in LARC.
        always_adapt: False has a ratio of 1 where there is no decay, as timm.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks", arXiv:1708.03888, Algorithm 1.

    >>> import numpy as np, gradstep
    >>> w = np.array([3.0, 4.0])
    >>> opt = gradstep.LARS([w], lr=1.0, trust_coeff=0.1, eps=0.0)
    >>> opt.step([np.array([0.0, 20.0])])
    >>> w
    array([3. , 3.5])
    """

    lr: Rate = 1.0
    momentum: Momentum = 0.9
    dampening: Finite = 0
    weight_decay: Decay = 0
    nesterov: Switch = False
    trust_coeff: Positive = 1e-3
    eps: Epsilon = 1e-8
    trust_clip: Switch = False
    always_adapt: Switch = True

    numbers = ()

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        if not cls._read(group, "momentum"):
            return Kernel("lars")
        return Kernel("lars_nesterov" if group["nesterov"] else "lars_momentum", ("momentum_buffer",))

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        super().check(group, sources)
        check_nesterov(group, sources)
