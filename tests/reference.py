"""Every rule in three to six lines, from its paper and torch's for-loop semantics: what the tests hold true.

A rule takes the parameter p, its gradient g, its states s (named as in torch, zero before they are written),
the time t from 1 on and the hyper-parameters h, and returns the new parameter. It computes in the dtype of p:
float64, or longdouble where float64 is what is tested.
"""

from types import SimpleNamespace

import numpy as np


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
    rule, kind = globals()[name.lower()], p.dtype.type
    h = SimpleNamespace(**{key: in_dtype(value, kind) for key, value in group.items() if key != "params"})
    s, scale, path, state_scales = States(p), np.abs(p), np.zeros_like(p), {}
    for t, g in enumerate(gradients, start=1):
        before, g = p, g.astype(kind)
        if h.maximize:  # Trap: the gradient is flipped before decay is added, so that decay still shrinks.
            g = -g
        if h.decoupled_weight_decay:
            p = p * (1 - h.lr * h.weight_decay)
        else:
            g = g + h.weight_decay * p
        p = rule(p, g, s, kind(t), h)
        scale, path = np.maximum(scale, np.maximum(np.abs(p), np.abs(p - before))), path + np.abs(p - before)
        states = {name: value for name, value in vars(s).items() if name != "zero"}
        for name, value in states.items():
            state_scales[name] = np.max(np.abs(value), initial=state_scales.get(name, 0))
    return SimpleNamespace(p=p, states=states, scale=scale, path=path, state_scales=state_scales)
