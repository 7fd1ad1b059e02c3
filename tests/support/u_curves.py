"""Losses over the rate, as range tests show them: a plateau, a descent, a valley and divergence."""

import numpy as np

from gradstep import LRFinder

FALL = -3.0
"""log10 of the rate at which `valley_loss` falls fastest."""


def valley_loss(x, fall=FALL, rise=-0.5):
    """From 2.3 down to 0.3 around `fall`, with its steepest point there, and up again from `rise`; x = log10(rate)."""
    return 2.3 - 2 / (1 + np.exp(-(x - fall) / 0.25)) + np.exp(np.minimum((x - rise) / 0.15, 50))


def finder_after(loss=valley_loss, noise=0.0, seed=0, **options):
    """A finder that has seen the loss with normal noise of that standard deviation."""
    rng, finder = np.random.default_rng(seed), LRFinder(**options)
    for rate in finder:
        finder.report(loss(np.log10(rate)) + noise * rng.standard_normal())
    return finder


def decades(rate, x):
    return abs(np.log10(rate) - x)
