"""Sparse gradients for the tests, with repeated rows, and the equal dense ones."""

import numpy as np

import gradstep
from support.arrays import DTYPES, normal

SHAPE = (40, 33)  # a row is no multiple of any register


def rows(seed, dtype="f32", shape=SHAPE, count=9):
    indices = np.random.default_rng(seed).integers(0, shape[0], count)
    indices[-2:] = indices[0], shape[0] - 1
    return gradstep.Rows(indices, normal(seed, (count, *shape[1:]), dtype))


def dense(given, shape=SHAPE, dtype="f32"):
    """Each row's values added up in their order."""
    whole = np.zeros(shape, DTYPES[dtype])
    for row, value in zip(given.indices, given.values.astype(DTYPES[dtype]), strict=True):
        whole[row] += value
    return whole


def held(given):
    """The rows in it, each once."""
    return np.unique(given.indices)
