"""Parameters of torch, gradients for them and steps, for the tests of gradstep.optim."""

import pytest
import torch

from support.arrays import assert_same_bits, normal, to_numpy, to_torch


def tensors(sizes=(5, 33), seed=0):
    return [torch.nn.Parameter(to_torch(normal(seed + i, n))) for i, n in enumerate(sizes)]


def give_gradients(params, seed):
    for i, p in enumerate(params):
        p.grad = to_torch(normal(100 * seed + i, tuple(p.shape)))


def allow_gradients_of(p, dtype):
    """Let the gradient of a parameter be of another dtype."""
    if dtype == p.dtype:
        return
    if not hasattr(p, "grad_dtype"):
        pytest.skip(f"torch {torch.__version__} lets no gradient have another dtype than its parameter")
    p.grad_dtype = dtype


def steps(optimizer, params, seeds):
    for seed in seeds:
        give_gradients(params, seed)
        optimizer.step()
    return [to_numpy(p).copy() for p in params]


def assert_all_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_same_bits(a, b)
