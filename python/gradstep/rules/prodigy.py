import math
from typing import Annotated, ClassVar

from gradstep.rules.base import Kernel, Rule
from gradstep.rules.fields import Betas, Decay, Epsilon, Number, OptionalFraction, Positive, Rate, Switch
from gradstep.rules.hyperparameters import Group, Hyperparameter
from gradstep.rules.options import Options


class Prodigy(Rule):
    r"""Prodigy: Adam that estimates its own rate, the distance d to the solution, from below.

    .. math::
        a_t &= \beta_3 a_{t-1} + \tfrac{d_t}{d_0}\, \gamma d_t \langle g_t, p_0 - p_{t-1} \rangle, \quad
        s_t = \beta_3 s_{t-1} + \tfrac{d_t}{d_0}\, \gamma d_t\, g_t \\
        \hat d &= c\, a_t / \lVert s_t \rVert_1, \quad
        d_{t+1} = \min(d_{\max}, \rho\, d_t), \quad d_{\max} = \max_{i \le t} \hat d_i \\
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, d_t g_t, \quad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, d_t^2 g_t^2 \\
        p_t &= (1 - \gamma d_t \lambda)\, p_{t-1} - \gamma d_t \frac{m_t}{\sqrt{v_t} + d_{t+1} \epsilon}

    The sums are over all tensors of all groups, which therefore share one d; each state holds it as ``d``, with
    ``d_max`` and ``d_numerator``, in float64. While d is still :math:`d_0`, the first estimate above it is used
    whatever its size. Leave the rate at 1, or at a schedule that falls from 1 to 0. An update at a rate of 0, or before
    the first gradient that is not 0, changes nothing and is not counted.

    The sums are formed in float64 in an order that does not depend on threads, and they do not wait for Python. They
    need a separate pass in the same call: it reads p, g, s and :math:`p_0`, 16 bytes per parameter in float32 in
    addition to the 44 of the update. A NaN or an infinity in a gradient is in the sums too and
    reaches every element of every tensor: pass ``skip_nonfinite=True`` to make no update then. A norm of s beyond
    float64 gives no estimate, and d is at most :math:`2^{60}`.

    Args:
        params: arrays (or dicts with groups of arrays) of a floating or complex dtype, updated in place.
        lr: :math:`\gamma`, at least 0 and the same in all groups: a number, a 0-d array or a schedule.
        betas: :math:`\beta_1` and :math:`\beta_2`, from 0 to below 1.
        beta3: :math:`\beta_3`, from 0 to below 1; None (the default) for the root of :math:`\beta_2`.
        eps: :math:`\epsilon`, at least 0.
        weight_decay: :math:`\lambda` per update, at least 0.
        d0: :math:`d_0 = d_1`, above 0, far below what the rate could be.
        d_coef: :math:`c`, above 0: a larger value makes the rate larger.
        growth_rate: :math:`\rho`, at least 1: how fast d may grow; 1.02 acts as a warm-up.
        bias_correction: multiply :math:`\gamma` by :math:`\sqrt{1 - \beta_2^t} / (1 - \beta_1^t)`, above as well.
        safeguard_warmup: leave :math:`\gamma` out of s, where a warm-up would make the first estimates too large.
        options: see :class:`gradstep.rules.options.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range; a step raises for groups whose
            hyper-parameters other than ``weight_decay`` differ.

    Source: Mishchenko and Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", arXiv:2306.06101,
    in the form of its authors' ``prodigyopt``.

    >>> import numpy as np, gradstep
    >>> w = np.full(3, 10.0)
    >>> opt = gradstep.Prodigy([w])
    >>> for _ in range(200):
    ...     opt.step([w - 4.0])
    >>> bool(0.1 < opt.state[0]["d"] < 6.0), bool(np.all(abs(w - 4.0) < 1.0))
    (True, True)
    """

    lr: Rate = 1.0
    betas: Betas = (0.9, 0.999)
    beta3: OptionalFraction = None
    eps: Epsilon = 1e-8
    weight_decay: Decay = 0
    d0: Annotated[Number, Hyperparameter(includes_low=False, read_once=True)] = 1e-6
    d_coef: Positive = 1.0
    growth_rate: Annotated[Number, Hyperparameter(low=1.0, includes_high=True)] = math.inf
    bias_correction: Switch = False
    safeguard_warmup: Switch = False

    numbers = ("step", "d", "d_max", "d_numerator")
    shares_numbers = True
    exact_numbers = ("d", "d_max", "d_numerator")
    option_defaults: ClassVar[Options] = {"decoupled_weight_decay": True}

    @classmethod
    def kernel(cls, group: Group) -> Kernel:
        return Kernel("prodigy", ("exp_avg", "exp_avg_sq", "s", "p0"))

    @classmethod
    def initial(cls, name: str, group: Group) -> float:
        return cls._read(group, "d0") if name in ("d", "d_max") else 0.0

    @classmethod
    def _read(cls, group: Group, name: str) -> float:
        if name == "beta3" and group["beta3"] is None:
            return math.sqrt(cls._read(group, "beta2"))
        return super()._read(group, name)
