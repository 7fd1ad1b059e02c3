"""The rules that need reductions over one tensor or all, from their papers; arguments as in reference.py."""

import numpy as np


def norm(x):
    return np.sqrt(np.sum(x**2))


def lamb(p, g, s, t, h):
    beta1, beta2 = h.betas
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    m = s.exp_avg if h.grad_averaging else s.exp_avg / (1 - beta1)
    correction1, correction2 = (1 - beta1**t, 1 - beta2**t) if h.bias_correction else (1, 1)
    u = m / correction1 / (np.sqrt(s.exp_avg_sq / correction2) + h.eps)
    u = u + h.decoupled_decay / h.lr * p  # Trap: the decay is in the norm of the direction.
    ratio = norm(p) / norm(u) if norm(p) > 0 and norm(u) > 0 else 1
    if not h.always_adapt and h.weight_decay == 0:
        ratio = 1
    return p - h.lr * min(ratio, h.max_ratio) * u


def trust_ratio(p, g, h, decay):
    """LARS's."""
    if not (norm(p) > 0 and norm(g) > 0 and (h.always_adapt or h.weight_decay)):
        return 1
    ratio = h.trust_coeff * norm(p) / (norm(g) + decay * norm(p) + h.eps)
    return min(ratio / h.lr, 1) if h.trust_clip else ratio


def stableadamw(p, g, s, t, h):
    beta1, beta2 = (beta * (1 - beta ** (t - 1)) / (1 - beta**t) for beta in h.betas)
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * g**2
    clip = max(1, np.sqrt(np.mean(g**2 / np.maximum(s.exp_avg_sq, h.eps**2)))) if g.size else 1
    # Trap: the decay is of the clipped rate.
    return p * (1 - h.decoupled_decay / clip) - h.lr / clip * s.exp_avg / (np.sqrt(s.exp_avg_sq) + h.eps)


def prodigy(p, g, s, t, h):
    beta1, beta2 = h.betas
    beta3 = np.sqrt(beta2) if h.beta3 is None else h.beta3
    if t == 1:
        s.p0, s.d, s.d_max, s.d_numerator = p, h.d0, h.d0, 0
    d, correction = s.d, np.sqrt(1 - beta2**t) / (1 - beta1**t) if h.bias_correction else 1
    rate = d * h.lr * correction
    s.d_numerator = beta3 * s.d_numerator + d / h.d0 * rate * np.sum(g * (s.p0 - p))
    s.s = beta3 * s.s + d / h.d0 * (d if h.safeguard_warmup else rate) * g
    estimate = h.d_coef * s.d_numerator / np.sum(np.abs(s.s))
    s.exp_avg = beta1 * s.exp_avg + (1 - beta1) * d * g
    s.exp_avg_sq = beta2 * s.exp_avg_sq + (1 - beta2) * d**2 * g**2
    if d == h.d0:
        s.d = max(d, estimate)
    s.d_max = max(s.d_max, estimate)
    s.d = min(s.d_max, s.d * h.growth_rate)
    # Trap: the rate and the decay have the d before this update, eps the one after.
    p = p * (1 - d * correction * h.decoupled_decay)
    return p - rate * s.exp_avg / (np.sqrt(s.exp_avg_sq) + s.d * h.eps)
