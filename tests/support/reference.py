"""Every rule in three to six lines, from its paper and torch's for-loop semantics: the reference of the tests.

A rule takes the parameter p, its gradient g, its states s (named as in torch, zero before they are written),
the time t from 1 on and the hyper-parameters h, and returns the new parameter. It computes in the dtype of p:
float64, or longdouble where float64 is what is tested.
"""

from types import SimpleNamespace

import numpy as np

from gradstep import _core, rules
from support import measured_reference


def sgd(p, g, s, t, h):
    if h.momentum:
        # Trap: the update that finds no buffer starts it with the gradient itself, whatever the dampening.
        s.momentum_buffer = g if t == 1 else h.momentum * s.momentum_buffer + (1 - h.dampening) * g
        g = g + h.momentum * s.momentum_buffer if h.nesterov else s.momentum_buffer
    return p - h.lr * g


def adagrad(p, g, s, t, h):
    s.sum = (s.sum if t > 1 else h.initial_accumulator_value) + g**2
    return p - h.lr / (1 + (t - 1) * h.lr_decay) * g / (np.sqrt(s.sum) + h.eps)


def adadelta(p, g, s, t, h):
    s.square_avg = h.rho * s.square_avg + (1 - h.rho) * g**2
    u = np.sqrt(s.acc_delta + h.eps) / np.sqrt(s.square_avg + h.eps) * g
    s.acc_delta = h.rho * s.acc_delta + (1 - h.rho) * u**2
    return p - h.lr * u


def rmsprop(p, g, s, t, h):
    variance = s.square_avg = h.alpha * s.square_avg + (1 - h.alpha) * g**2
    if h.centered:
        s.grad_avg = h.alpha * s.grad_avg + (1 - h.alpha) * g
        variance = variance - s.grad_avg**2
    u = g / (np.sqrt(variance) + h.eps)
    if h.momentum:
        u = s.momentum_buffer = h.momentum * s.momentum_buffer + u
    return p - h.lr * u


def adam(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    v = s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    if h.amsgrad:  # Trap: the maximum is over the uncorrected second moment.
        v = s.max_exp_avg_sq = np.maximum(s.max_exp_avg_sq, v)
    return p - h.lr / (1 - beta1**t) * s.exp_avg / (np.sqrt(v) / np.sqrt(1 - beta2**t) + h.eps)


def sparseadam(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    rate = h.lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return p - rate * s.exp_avg / (np.sqrt(s.exp_avg_sq) + h.eps)  # Trap: eps is not divided by the correction.


adamw = adam  # with decoupled decay, which is the driver's


def adamax(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_inf = np.maximum(beta2 * s.exp_inf, np.abs(g) + h.eps)  # Trap: eps is inside the maximum.
    return p - h.lr / (1 - beta1**t) * s.exp_avg / s.exp_inf


def nadam(p, g, s, t, h):
    beta1, beta2 = h.betas
    mu, mu_next = (beta1 * (1 - type(beta1)(0.96) ** (n * h.momentum_decay) / 2) for n in (t, t + 1))
    s.mu_product = mu * (s.mu_product if t > 1 else 1)
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    m = (1 - mu) / (1 - s.mu_product) * g + mu_next / (1 - s.mu_product * mu_next) * s.exp_avg
    return p - h.lr * m / (np.sqrt(s.exp_avg_sq / (1 - beta2**t)) + h.eps)


def radam(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    limit = 2 / (1 - beta2) - 1
    length = limit - 2 * t * beta2**t / (1 - beta2**t)
    u = s.exp_avg / (1 - beta1**t)
    if length > 5:  # Trap: torch's threshold is 5, the paper's is 4; eps is not scaled.
        rectified = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
        u = u * np.sqrt(rectified * (1 - beta2**t)) / (np.sqrt(s.exp_avg_sq) + h.eps)
    return p - h.lr * u


def rprop(p, g, s, t, h):
    turn = g * s.prev
    factor = np.where(turn < 0, h.etas[0], np.where(turn > 0, h.etas[1], 1))
    s.step_size = np.clip((s.step_size if t > 1 else h.lr) * factor, *h.step_sizes)
    s.prev = np.where(turn < 0, 0, g)  # Trap: where the sign turned, no step and no memory.
    return p - np.sign(s.prev) * s.step_size


def asgd(p, g, s, t, h):
    eta, mu = (s.eta, s.mu) if t > 1 else (h.lr, 1)
    p = p * (1 - h.lambd * eta) - eta * g
    s.ax = p if mu == 1 else s.ax + mu * (p - s.ax)
    s.eta, s.mu = h.lr / (1 + h.lambd * h.lr * t) ** h.alpha, 1 / max(type(h.lr)(1), t - h.t0)
    return p


def lion(p, g, s, t, h):
    beta1, beta2 = h.betas
    u = np.sign(beta1 * s.exp_avg + (1 - beta1) * g)  # Trap: the step is from the old momentum.
    s.exp_avg = beta2 * s.exp_avg + (1 - beta2) * g
    return p - h.lr * u


def signum(p, g, s, t, h):
    s.momentum_buffer = h.momentum * s.momentum_buffer + (1 - h.momentum) * g
    return p - h.lr * np.sign(s.momentum_buffer)


def nadamw(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    m = beta1 * s.exp_avg + (1 - beta1) * g  # Trap: both terms have the correction of this step.
    return p - h.lr / (1 - beta1**t) * m / (np.sqrt(s.exp_avg_sq / (1 - beta2**t)) + h.eps)


def adamatan2(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    root = np.sqrt(s.exp_avg_sq / (1 - beta2**t))
    return p - h.lr * h.a * np.arctan2(s.exp_avg / (1 - beta1**t), h.b * root)


def ademamix(p, g, s, t, h):
    beta1, beta2, beta3 = h.betas
    if t < h.beta3_warmup:  # Trap: the half-life is what grows linearly, not beta3.
        part, ln1, ln3 = t / h.beta3_warmup, np.log(beta1), np.log(beta3)
        beta3 = min(beta3, np.exp(ln1 * ln3 / ((1 - part) * ln3 + part * ln1)))
    s.exp_avg_fast = beta1 * s.exp_avg_fast + (1 - beta1) * g
    s.exp_avg_slow = beta3 * s.exp_avg_slow + (1 - beta3) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    alpha = h.alpha * min(t / h.alpha_warmup, 1) if h.alpha_warmup else h.alpha
    m = s.exp_avg_fast / (1 - beta1**t) + alpha * s.exp_avg_slow  # Trap: the slow one is not corrected.
    return p - h.lr * m / (np.sqrt(s.exp_avg_sq / (1 - beta2**t)) + h.eps)


def adopt(p, g, s, t, h):
    beta1, beta2 = h.betas
    if t == 1:  # Trap: only v starts; neither a step nor decay.
        s.exp_avg, s.exp_avg_sq = s.exp_avg, g**2
        return p
    bound = (t - 1) ** type(t)(0.25)
    n = np.clip(g / np.maximum(np.sqrt(s.exp_avg_sq), h.eps), -bound, bound)
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * n
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2  # Trap: after the step that used it.
    return p * (1 - decoupled_decay(h)) - h.lr * s.exp_avg


def adan(p, g, s, t, h):
    beta1, beta2, beta3 = h.betas
    change, s.prev = (g - s.prev if t > 1 else 0 * g), g  # Trap: the first change is 0.
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_diff = beta2 * s.exp_avg_diff + (1 - beta2) * change
    s.exp_avg_sq = beta3 * s.exp_avg_sq + (1 - beta3) * (g + beta2 * change) ** 2
    m = s.exp_avg / (1 - beta1**t) + beta2 * s.exp_avg_diff / (1 - beta2**t)
    step = h.lr * m / (np.sqrt(s.exp_avg_sq / (1 - beta3**t)) + h.eps)
    decay = decoupled_decay(h)
    return p * (1 - decay) - step if h.no_prox else (p - step) / (1 + decay)


def laprop(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    n = g / (np.sqrt(s.exp_avg_sq / (1 - beta2**t)) + h.eps)
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * n
    return p - h.lr / (1 - beta1**t) * s.exp_avg


def schedulefree(y, direction, s, t, h, momentum):
    """Through the average x, which the rule itself never forms."""
    z = s.z if t > 1 else y
    x = (y - (1 - momentum) * z) / momentum
    s.lr_max = max(h.lr, s.lr_max if t > 1 else 0)
    weight = t**h.r * s.lr_max**h.weight_lr_power
    s.weight_sum = weight + (s.weight_sum if t > 1 else 0)
    c = weight / s.weight_sum if s.weight_sum > 0 else 0  # Trap: at a rate of 0 both are 0.
    s.z = z - h.lr * direction - decoupled_decay(h) * y  # Trap: decay is taken at y.
    return momentum * ((1 - c) * x + c * s.z) + (1 - momentum) * s.z


def schedulefreesgd(y, g, s, t, h):
    return schedulefree(y, g, s, t, h, h.momentum)


def schedulefreeadamw(y, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    return schedulefree(y, g / (np.sqrt(s.exp_avg_sq / (1 - beta2**t)) + h.eps), s, t, h, beta1)


def lars(p, g, s, t, h):
    coupled = 0 if h.decoupled_weight_decay else h.weight_decay
    # Trap: the norms of gradient and decay are separate, not of their sum; the momentum is of the scaled gradient.
    ratio = measured_reference.trust_ratio(p, g - coupled * p, h, coupled)
    return sgd(p * (1 - h.decoupled_decay), ratio * g, s, t, h)


def decoupled_decay(h):
    return h.lr * h.weight_decay if h.decoupled_weight_decay else 0


#: the rules that need reductions over whole tensors before the update
MEASURED = {
    name for name, rule in rules.ALL.items() if _core.rules()[rule.kernel(rule.default_group()).rule].has_pass_before
}
#: the rules that apply decoupled decay themselves, not before the step
DECAY_ELSEWHERE = {"ADOPT", "Adan", "ScheduleFreeAdamW", "ScheduleFreeSGD"} | MEASURED


class States:
    def __init__(self, p):
        self.__dict__["zero"] = np.zeros_like(p)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.zero


def in_dtype(value, kind):
    if isinstance(value, tuple):
        return tuple(in_dtype(each, kind) for each in value)
    return value if isinstance(value, bool | str) or value is None else kind(value)


def run(name, p, gradients, group):
    """The parameter and states after a step with each gradient, and what their errors scale with: the largest that each
    element of the parameter, or an update of it, and each state has been; and the path: the sum of the updates' sizes.

    ``group`` holds every hyper-parameter of the class called ``name``.
    """
    rule = globals().get(name.lower()) or getattr(measured_reference, name.lower())
    kind = p.dtype.type
    h = SimpleNamespace(**{key: in_dtype(value, kind) for key, value in group.items() if key != "params"})
    h.decoupled_decay = decoupled_decay(h)
    s, scale, path, state_scales = States(p), np.abs(p), np.zeros_like(p), {}
    for t, g in enumerate(gradients, start=1):
        before, g = p, g.astype(kind)
        if h.maximize:  # Trap: the gradient is flipped before decay is added, so that decay still shrinks.
            g = -g
        if not h.decoupled_weight_decay:
            g = g + h.weight_decay * p
        elif name not in DECAY_ELSEWHERE:
            p = p * (1 - decoupled_decay(h))
        p = rule(p, g, s, kind(t), h)
        scale, path = np.maximum(scale, np.maximum(np.abs(p), np.abs(p - before))), path + np.abs(p - before)
        states = {key: value for key, value in vars(s).items() if key != "zero"}
        for key, value in states.items():
            state_scales[key] = np.max(np.abs(value), initial=state_scales.get(key, 0))
    return SimpleNamespace(p=p, states=states, scale=scale, path=path, state_scales=state_scales)
