"""A captured step replays without the host: rates follow their schedules, and skipped steps are not counted."""

import gc
import time
import weakref

import numpy as np
import pytest
import torch

import gradstep
from gradstep import optim
from support.arrays import assert_same_bits
from support.cases import ONE_EACH, Case
from support.twins import Twins, normals

SIZES = (1, 33, 4097)
REPLAYS = 5
SCHEDULES = {"lr": gradstep.CosineDecay(0.2, 6).warmup(2), "weight_decay": gradstep.Linear(0.3, 0.0, 4)}

each_rule = pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.kernel)


def stepped_once(device, case, **options):
    """Twins with states, which a capture needs."""
    twins = Twins(device, lambda tensors: case.over_tensors(tensors, **options), normals(0, SIZES))
    twins.take(normals(1, SIZES))
    twins.step()
    return twins


@each_rule
def test_replays_of_every_rule(device, case):
    twins = stepped_once(device, case, **SCHEDULES, clip_norm=0.7)
    step = twins.captured()
    twins.assert_same()  # capturing runs nothing
    for t in range(2, REPLAYS + 2):
        twins.renew(normals(t, SIZES))
        step()
        twins.assert_same()
    assert twins.updates() == (REPLAYS + 1,) * 2


def test_a_replay_may_be_skipped(device):
    adam = Case("Adam", {"eps": 1e-3})
    twins = stepped_once(device, adam, **SCHEDULES, skip_nonfinite=True, zero_grad=True, ema=0.9, stats=True)
    step = twins.captured()
    for t in range(2, REPLAYS + 2):
        gradients = normals(t, SIZES)
        if t % 2:
            gradients[1][7] = np.nan
        twins.renew(gradients)
        step()
        twins.assert_same()
        assert twins.found.stats().skipped == (t % 2 == 1)
    assert twins.updates() == (4, 4)


def test_a_scale_that_moves_between_replays(device):
    twins = stepped_once(device, Case("AdamW", {"eps": 1e-3}))
    for name in ("grad_scale", "found_inf"):
        twins.set(name, 1.0)
    step = twins.captured()
    for t, (scale, found) in enumerate([(8.0, 0.0), (8.0, 1.0), (4.0, 0.0)], start=2):
        twins.renew(normals(t, SIZES))
        for optimizer in (twins.expected, twins.found):
            optimizer.grad_scale.fill_(scale)
            optimizer.found_inf.fill_(found)
        step()
        twins.assert_same()


def test_steps_between_replays(device):
    twins = stepped_once(device, Case("Adam", {"eps": 1e-3}), **SCHEDULES)
    step = twins.captured()
    for t in range(2, 8):
        twins.renew(normals(t, SIZES))
        step() if t % 2 else twins.step()
        twins.assert_same()
    assert twins.updates() == (7, 7)


def test_what_a_graph_reads_outlives_its_place_in_a_group(device):
    """Replays keep using a tensor that was replaced in the group after the capture, and follow writes to it."""
    made = []

    def make(tensors):
        made.append((torch.from_numpy if not made else device.put)(np.array(0.1, np.float32)))
        return optim.AdamW(tensors, lr=made[-1], eps=1e-3)

    twins = Twins(device, make, normals(0, SIZES))
    twins.set("grad_scale", 2.0)
    twins.take(normals(1, SIZES))
    twins.step()
    step = twins.captured()
    kept = [weakref.ref(each) for each in (made[1], twins.found.grad_scale, twins.there[0].grad)]
    gradients = [p.grad for p in twins.there]
    twins.found.param_groups[0]["lr"] = device.put(np.array(7.0, np.float32))
    twins.found.grad_scale = device.put(np.array([9.0], np.float32))
    for t, rate in ((2, 0.1), (3, 0.03)):
        twins.renew(normals(t, SIZES))
        for lr in made:
            lr.fill_(rate)
        step()
        twins.assert_same()
    for p in twins.there:
        p.grad = None
    made.clear()
    gradients.clear()
    del lr
    gc.collect()
    assert all(each() is not None for each in kept)
    step = twins.found = None
    assert all_gone(kept)


def all_gone(kept):
    """Whether these objects are freed; a device's driver reports the end of a graph on another thread."""
    for _ in range(100):
        gc.collect()
        if not any(each() is not None for each in kept):
            return True
        time.sleep(0.05)
    return False


def test_a_graph_outlives_its_optimizer(device):
    """A graph keeps the memory that its replays read and write until it ends."""
    twins = stepped_once(device, Case("AdamW", {"eps": 1e-3}), **SCHEDULES)
    kept = [weakref.ref(state) for p in twins.there for state in twins.found.state[p].values()]
    step = twins.captured()
    states = {p: {name: state.data_ptr() for name, state in twins.found.state[p].items()} for p in twins.there}
    twins.found = None
    gc.collect()
    others = [device.put(np.full(size, 7, np.float32)) for size in SIZES for _ in range(3)]
    for t in range(2, 4):
        twins.renew(normals(t, SIZES))
        step()
        for p, q in zip(twins.host, twins.there, strict=True):
            assert_same_bits(device.get(q), p.numpy())
    assert not {other.data_ptr() for other in others} & {at for each in states.values() for at in each.values()}
    assert all(np.all(device.get(other) == 7) for other in others)
    del step, states, p, q
    twins.there.clear()
    assert all_gone(kept)
