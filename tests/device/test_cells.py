"""Numbers of a group in the device's memory: they are read there, and a captured graph follows them."""

import numpy as np
import pytest
import torch

import gradstep
from gradstep import optim
from support.cases import Case
from support.twins import Twins, normals

SIZES = (3, 33, 4097)
START = {"lr": 0.1, "weight_decay": 0.3, "clip_norm": 0.7, "clip_value": 0.4, "ema": 0.6}
LATER = {"lr": 0.03, "weight_decay": 0.1, "clip_norm": 0.2, "clip_value": 0.1, "ema": 0.9}


def number(device, value, dtype="f32"):
    """An array of one number on the device."""
    return device.put(np.array(value, {"f32": np.float32, "f64": np.float64}[dtype]))


def with_cells(device, dtype="f32", **options):
    """Twins over Adam, with every number of their groups in an array on each side."""
    made = []

    def make(tensors):
        put = device.put if made else torch.from_numpy
        kind = {"f32": np.float32, "f64": np.float64}[dtype]
        cells = {name: put(np.array(value, kind)) for name, value in START.items()}
        cells["betas"] = (put(np.array(0.7, kind)), put(np.array(0.8, kind)))
        made.append(cells)
        return optim.AdamW(tensors, eps=1e-3, **cells, **options)

    return Twins(device, make, normals(0, SIZES)), made


def write(made, values, beta2):
    for cells in made:
        for name, value in values.items():
            cells[name].fill_(value)
        cells["betas"][1].fill_(beta2)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_every_number_is_read_there(device, dtype):
    twins, made = with_cells(device, dtype)
    for t, (values, beta2) in enumerate([(START, 0.8), (LATER, 0.95), (START, 0.9)], start=1):
        write(made, values, beta2)
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()


def test_nobody_waits_to_read_them(device, monkeypatch):
    twins, _ = with_cells(device)
    for t in (1, 2):
        twins.take(normals(t, SIZES))
        with monkeypatch.context() as changed:
            if t == 2:
                changed.setattr(torch.Tensor, "item", lambda _: pytest.fail("the host has waited"))
            with device.stepping():
                twins.found.step()


def test_a_graph_follows_them(device):
    twins, made = with_cells(device)
    twins.take(normals(1, SIZES))
    twins.step()
    step = twins.captured()
    for t, values in enumerate([LATER, START, LATER], start=2):
        write(made, values, 0.8)
        twins.renew(normals(t, SIZES))
        step()
        twins.assert_same()


def test_beside_schedules_and_in_several_groups(device):
    made = []

    def make(tensors):
        put = device.put if made else torch.from_numpy
        made.append(put(np.array(0.2, np.float32)))
        schedules = {"lr": gradstep.Linear(0.3, 0.1, 5), "betas": (gradstep.Linear(0.5, 0.9, 4), 0.9)}
        groups = [{"params": tensors[:1], **schedules}, {"params": tensors[1:], "lr": made[-1], "gradstep_scale": 0.3}]
        return optim.Adam(groups, eps=1e-3, weight_decay=0.1)

    twins = Twins(device, make, normals(0, SIZES))
    for t in (1, 2, 3, 4):
        for cell in made:
            cell.fill_(0.2 / t)
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()


def test_another_cell_takes_over(device):
    adam = Case("Adam", {"eps": 1e-3})
    twins = Twins(device, lambda tensors: adam.over_tensors(tensors), normals(0, SIZES))
    for t, value in enumerate([0.1, 0.2, 0.3], start=1):
        twins.expected.param_groups[0]["lr"] = torch.tensor(value)
        twins.found.param_groups[0]["lr"] = number(device, value)
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()


def test_momentum_is_read_by_the_host(device):
    made = []

    def make(tensors):
        made.append((device.put if made else torch.from_numpy)(np.array(0.0, np.float32)))
        return optim.SGD(tensors, lr=0.1, momentum=made[-1])

    twins = Twins(device, make, normals(0, SIZES))
    for t, momentum in enumerate([0.0, 0.5, 0.9], start=1):
        for cell in made:
            cell.fill_(momentum)
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()
    assert all("momentum_buffer" in state for state in twins.found.state.values())


def test_what_a_device_can_not_read_the_host_reads(device):
    twins = Twins(
        device, lambda tensors: optim.Adam(tensors, lr=torch.tensor(0.1, dtype=torch.bfloat16)), normals(0, SIZES)
    )
    twins.take(normals(1, SIZES))
    twins.step()
    twins.assert_same()
