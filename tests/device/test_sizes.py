"""Tensors with more elements than an int can count; they need a whole device."""

import pytest
import torch

from gradstep import optim
from support.devices import device_named

SIZE = 2**31 + 5


def test_more_elements_than_an_int_counts():
    device_named("cuda")
    if torch.cuda.mem_get_info()[0] < 6 * SIZE:
        pytest.skip("less than 13 GB of the device's memory are free")
    p = torch.zeros(SIZE, dtype=torch.bfloat16, device="cuda")
    p.grad = torch.full_like(p, 2.0)
    p.grad[-1] = 3.0
    optim.SGD([p], lr=0.5).step()
    assert p[-1] == -1.5
    assert (p[:-1] == -1).all()
