"""A device without memory for a step's tables: caches are emptied once, and a step that fails is not counted."""

import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch

import gradstep
from gradstep import functional
from support.cases import Case
from support.devices import device_named
from support.twins import Twins, normals

SIZES = (3, 33, 4097)
OPTIONS = {"lr": gradstep.Linear(0.2, 0.01, 5), "clip_norm": 0.7, "ema": 0.9, "stats": True}
NO_MEMORY = (
    r"^there is no memory left (on the CPU|in pages of the host that a device can read) for the \d+ bytes that a step "
    r"must keep there beside the states: free some and step again; nothing has been written or counted$"
)


@pytest.fixture
def emulated():
    """The emulated device, whose chosen allocations fail."""
    device = device_named("emulated")
    from gradstep import _emulated

    device.fail_allocations = _emulated.fail_allocations
    yield device
    _emulated.fail_allocations(0, 0)


@pytest.fixture
def emptied(monkeypatch):
    """The libraries that have been told to empty their caches."""
    names = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: names.append("torch"))
    pool = SimpleNamespace(free_all_blocks=lambda: names.append("cupy"))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(get_default_memory_pool=lambda: pool))
    return names


def at_the_first_step(device):
    adam = Case("Adam", {"eps": 1e-3})
    return Twins(device, lambda tensors: adam.over_tensors(tensors, **OPTIONS), normals(0, SIZES))


def after_a_step(device, gradients):
    twins = at_the_first_step(device)
    twins.take(gradients)
    twins.step()
    return twins


def with_one_more_gradient(device):
    return after_a_step(device, [*normals(1, SIZES[:2]), None])


def with_one_more_group(device):
    twins = after_a_step(device, normals(1, SIZES))
    both = ((twins.expected, twins.host, torch.from_numpy), (twins.found, twins.there, device.put))
    for optimizer, tensors, put in both:
        tensors.append(put(normals(0, (3, 5))[1]))
        optimizer.add_param_group({"params": tensors[-1:]})
    return twins


def with_a_long_schedule(device):
    twins = after_a_step(device, normals(1, SIZES))
    for optimizer in (twins.expected, twins.found):
        optimizer.param_groups[0]["weight_decay"] = gradstep.Table([0.1 / (1 + t) for t in range(1000)])
    return twins


def fails(device, twins, allocation):
    """Whether the step makes that allocation, which fails at both tries."""
    device.fail_allocations(allocation, 2)
    try:
        with device.stepping():
            twins.found.step()
    except MemoryError as error:
        with pytest.raises(MemoryError, match=NO_MEMORY):
            raise error from None
        return True
    finally:
        device.fail_allocations(0, 0)
    return False


@pytest.mark.parametrize(
    "prepare", [at_the_first_step, with_one_more_gradient, with_one_more_group, with_a_long_schedule]
)
def test_a_step_that_fails_for_want_of_memory_is_not_counted(emulated, prepare):
    for allocation in range(100):
        twins = prepare(emulated)
        sizes = [tensor.numel() for tensor in twins.host]
        twins.take(normals(2, sizes))
        failed = fails(emulated, twins, allocation)
        if not failed:
            twins.expected.step()
        for t in (3, 4):
            twins.take(normals(t, sizes))
            twins.step()
            twins.assert_same()
            assert twins.found.stats() == twins.expected.stats()
        assert len(set(twins.updates())) == 1
        if not failed:
            break
    assert allocation >= {at_the_first_step: 7, with_one_more_gradient: 2}.get(prepare, 1)


def test_releasing_for_want_of_memory_counts_each_step_once(emulated):
    """The step that counts for all updates the first parameter itself, and joins what the hooks have measured."""

    def make(tensors):
        groups = [{"params": tensors[:1], "release": False}, {"params": tensors[1:], "release": True}]
        for tensor in tensors:
            tensor.requires_grad_()
        return gradstep.optim.Adam(groups, eps=1e-3, lr=OPTIONS["lr"], stats=True)

    def calls_of_an_iteration(optimizer):
        for group in optimizer.param_groups[1:]:
            yield from (partial(optimizer._release._update, parameter) for parameter in group["params"])
        yield optimizer.step

    for allocation in range(100):
        twins = Twins(emulated, make, normals(0, SIZES))
        failures = 0
        for t in (1, 2):
            twins.take(normals(t, SIZES))
            for call in calls_of_an_iteration(twins.expected):
                call()
            emulated.fail_allocations(allocation, 2 if t == 1 else 0)
            with emulated.stepping():
                for call in calls_of_an_iteration(twins.found):
                    try:
                        call()
                    except MemoryError:
                        emulated.fail_allocations(0, 0)
                        failures += 1
                        call()
            twins.assert_same()
            assert twins.found.stats() == twins.expected.stats()
        assert twins.updates() == (2, 2)
        assert failures <= 1
        if failures == 0:
            break
    assert allocation >= 20


def test_caches_are_emptied_once_where_a_device_is_full(emulated, emptied):
    twins = at_the_first_step(emulated)
    twins.take(normals(1, SIZES))
    emulated.fail_allocations(0, 1)
    twins.step()
    twins.assert_same()
    assert emptied == ["torch", "cupy"]
    arrays = normals(0, (9,) * 4)
    emulated.fail_allocations(0, 2)
    with emulated.stepping(), pytest.raises(MemoryError, match=NO_MEMORY):
        functional.adamw_(*arrays, step=1)
    assert emptied == ["torch", "cupy"] * 2


def test_a_cache_that_can_not_be_emptied_says_why(emulated, monkeypatch):
    def refuse():
        raise RuntimeError("captures are under way")

    twins = at_the_first_step(emulated)
    monkeypatch.setattr(torch.cuda, "empty_cache", refuse)
    twins.take(normals(1, SIZES))
    emulated.fail_allocations(0, 1)
    with emulated.stepping(), pytest.raises(RuntimeError, match="captures are under way"):
        twins.found.step()
    twins.step()
    twins.assert_same()


def test_a_call_apart_that_fails_for_want_of_memory(emulated, emptied):
    gradients = [emulated.put(each) for each in normals(1, SIZES)]
    expected = functional.norm(gradients)
    with emulated.stepping():
        emulated.fail_allocations(0, 2)
        with pytest.raises(MemoryError, match=NO_MEMORY):
            functional.norm(gradients)
        assert float(functional.norm(gradients)) == float(expected)
    assert emptied == ["torch", "cupy"]
