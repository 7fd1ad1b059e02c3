from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, Momentum, NotNegative, Rate, Switch
from gradstep.rules.hyperparameters import Group


class RMSprop(Rule):
    r"""RMSprop: the gradient over the root of its running mean square.

    .. math::
        v_t &= \alpha v_{t-1} + (1 - \alpha)\, g_t^2 \\
        a_t &= \alpha a_{t-1} + (1 - \alpha)\, g_t \;(\text{centered}), \quad 0 \;(\text{not}) \\
        u_t &= \frac{g_t}{\sqrt{v_t - a_t^2} + \epsilon} \\
        b_t &= \mu b_{t-1} + u_t \\
        p_t &= p_{t-1} - \gamma b_t

    Without ``momentum`` there is no buffer :math:`b` and :math:`u_t` is the direction. :math:`\epsilon` is outside
    of the root (TensorFlow and optax have it inside), nothing corrects the bias, and the rate is outside of the
    buffer.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        alpha: :math:`\alpha`, at least 0.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        momentum: :math:`\mu`, at least 0.
        centered: divide by a standard deviation instead. The variance is not clamped, as in torch.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012; centered: Graves, arXiv:1308.0850,
    equations 38 to 45.

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.RMSprop([w], lr=0.01)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 1e-2
    alpha: NotNegative = 0.99
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    momentum: Momentum = 0
    centered: Switch = False

    positional_options = ("capturable", "foreach", "maximize", "differentiable")

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        rule, arrays = "rmsprop", ["square_avg"]
        if group["centered"]:
            rule += "_centered"
        if cls._read(group, "momentum"):
            rule += "_momentum"
            arrays.append("momentum_buffer")
        if group["centered"]:
            arrays.append("grad_avg")
        return Kernel(rule, tuple(arrays))
