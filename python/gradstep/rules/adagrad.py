from typing import Annotated

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Decay, Epsilon, NotNegative, Number, Rate
from gradstep.rules.hyperparameters import Group, Hyperparameter


class Adagrad(Rule):
    r"""Adagrad: a rate per element that falls with the sum of its squared gradients.

    .. math::
        s_t &= s_{t-1} + g_t^2 \\
        p_t &= p_{t-1} - \frac{\gamma}{1 + (t - 1)\,\eta} \frac{g_t}{\sqrt{s_t} + \epsilon}

    The sum starts at ``initial_accumulator_value``; :math:`\epsilon` is outside of the root.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: rate per update, at least 0: a number, a 0-d array or a schedule.
        lr_decay: :math:`\eta`, inverse-time decay of the rate per update, at least 0.
        weight_decay: per update, at least 0; coupled (added to the gradient) unless ``decoupled_weight_decay``.
        initial_accumulator_value: :math:`s_0`, at least 0.
        eps: :math:`\epsilon`, at least 0.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods", JMLR 12, 2011, in the form of
    ``torch.optim.Adagrad`` (optax and Keras start the sum at 0.1 and add eps inside of the root).

    >>> import numpy as np, gradstep
    >>> w = np.array([1.0, 2.0])
    >>> opt = gradstep.Adagrad([w], lr=0.1)
    >>> opt.step([np.array([1.0, -4.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """

    lr: Rate = 1e-2
    lr_decay: NotNegative = 0
    weight_decay: Decay = 0
    initial_accumulator_value: Annotated[Number, Hyperparameter(read_once=True)] = 0
    eps: Epsilon = 1e-10

    eager_states = True
    positional_options = ("foreach",)

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("adagrad", ("sum",))

    @classmethod
    def initial(cls, name: str, group: Group) -> float:
        return cls._read(group, "initial_accumulator_value") if name == "sum" else 0.0

    @classmethod
    def takes_rows(cls, group: Group) -> bool:
        return True
