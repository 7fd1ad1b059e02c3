"""Steps are made in the order of their calls, on any streams, even if the device is far behind the host."""

import gc
from itertools import cycle

import numpy as np
import pytest

from gradstep import Linear, functional, optim
from support.arrays import to_torch
from support.cases import Case
from support.devices import device_named
from support.twins import VIEWS, Twins, normals

SIZES = (3, 33, 4097)
ADAM = Case("Adam", {"eps": 1e-3})
OPTIONS = {"lr": Linear(0.2, 0.01, 30), "clip_norm": 0.7, "stats": True}


class Lagging:
    """The emulated device, whose streams do nothing until they are waited for."""

    def __init__(self, device, module):
        self.device, self.module = device, module
        self._kept = []

    def go_to(self, stream, gradients):
        """Make the next step on that stream; it may use the gradients' memory until it is done."""
        self._kept += gradients
        self.module.set_stream(stream)

    def step(self, twins, gradients, stream=0):
        twins.take(gradients)
        self.go_to(stream, [p.grad for p in twins.there])
        twins.step()

    def assert_same_after(self, twins, gradients, streams):
        """Steps with these gradients, on one stream after the other."""
        for each, stream in zip(gradients, streams, strict=False):
            self.step(twins, each, stream)
        self.catch_up()
        twins.assert_same()

    def catch_up(self):
        """Run the last stream first."""
        self.module.set_lagging(False)


@pytest.fixture
def lagging():
    device = device_named("emulated")
    from gradstep import _emulated

    _emulated.set_lagging(True)
    freed = _emulated.freed_in_flight()
    yield Lagging(device, _emulated)
    gc.collect()
    _emulated.set_stream(0)
    _emulated.set_lagging(False)
    _emulated.fail_launches(0, 0)
    assert _emulated.freed_in_flight() == freed


def adam(device, sizes=SIZES, view=VIEWS["straight"], **options):
    return Twins(device, lambda tensors: ADAM.over_tensors(tensors, **OPTIONS, **options), normals(0, sizes), view)


@pytest.mark.parametrize("streams", [(1,), (1, 2), (2, 1), (0, 3)], ids=str)
def test_streams_by_turns(lagging, streams):
    twins = adam(lagging.device)
    lagging.assert_same_after(twins, (normals(t, SIZES) for t in range(1, 6)), cycle(streams))
    assert twins.found.stats() == twins.expected.stats()


@pytest.mark.parametrize("streams", [(1,), (1, 2)], ids=str)
def test_bytes_on_their_way_are_not_written_over(lagging, streams):
    sizes = (8,) * 400  # whose gradients' places and strides are 64 KB, sent in each step by way of two sides of 512 KB
    twins = adam(lagging.device, sizes, VIEWS["gaps"])
    three_on_each = cycle(stream for stream in streams for _ in range(3))
    lagging.assert_same_after(twins, (normals(t, sizes) for t in range(1, 25)), three_on_each)


def test_what_a_step_counted_is_asked_for_on_another_stream(lagging):
    twins = adam(lagging.device)
    for t in (1, 2):
        lagging.step(twins, normals(t, SIZES), stream=1)
    lagging.module.set_stream(2)
    assert twins.found.stats() == twins.expected.stats()
    assert twins.updates() == (2, 2)


def test_backward_passes_that_work_on_several_streams(lagging):
    def make(tensors):
        for stream, tensor in enumerate(tensors):
            tensor.requires_grad_()
            tensor.register_post_accumulate_grad_hook(lambda p, stream=stream: lagging.go_to(stream, [p.grad]))
        return ADAM.over_tensors(tensors, lr=0.1, stats=True, release=True)

    twins = Twins(lagging.device, make, normals(0, SIZES))
    for t in (1, 2, 3):
        gradients = [to_torch(each) for each in normals(t, SIZES)]
        sum((p * g).sum() for p, g in zip(twins.host, gradients, strict=True)).backward()
        with lagging.device.stepping():
            sum((p * g).sum() for p, g in zip(twins.there, gradients, strict=True)).backward()
        twins.step()
    assert twins.found.stats() == twins.expected.stats()  # waits for the last stream, and so for those before it
    lagging.catch_up()
    twins.assert_same()


def test_a_plan_is_dropped_with_a_step_on_its_way(lagging):
    twins = adam(lagging.device)
    for t in (1, 2):
        lagging.step(twins, normals(t, SIZES), stream=t)
    found, twins.found = twins.found, None
    states = found.state
    del found
    gc.collect()
    lagging.catch_up()
    for p, q in zip(twins.host, twins.there, strict=True):
        np.testing.assert_array_equal(q.numpy(), p.numpy())
        np.testing.assert_array_equal(states[q]["exp_avg"].numpy(), twins.expected.state[p]["exp_avg"].numpy())


def test_a_bare_kernel_drops_its_plan(lagging):
    expected, found = ([*normals(0, (33,) * 3), np.ones(33, np.float32)] for _ in range(2))
    functional.adamw_(*expected, step=1)
    with lagging.device.stepping():
        functional.adamw_(*found, step=1)
    lagging.catch_up()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_tables_grow_with_a_step_on_its_way(lagging):
    sizes = (5, 33, 70_000, 400_001)
    twins = adam(lagging.device, sizes)
    more_each_time = ([*normals(t, sizes)[:t], *[None] * (len(sizes) - t)] for t in range(1, len(sizes) + 1))
    lagging.assert_same_after(twins, more_each_time, cycle((1, 0)))


def test_a_capture_on_a_stream_of_its_own(lagging):
    twins = adam(lagging.device)
    for t in (1, 2):
        lagging.step(twins, normals(t, SIZES), stream=1)
    lagging.module.set_stream(2)
    twins.captured()
    lagging.step(twins, normals(3, SIZES), stream=2)  # after those on stream 1, though not captured with them
    lagging.catch_up()
    twins.assert_same()


def test_plans_come_and_go_beside_a_capture(lagging):
    """Collecting one plan, or making another, does not break a capture."""
    lagging.catch_up()
    twins, other = adam(lagging.device), [adam(lagging.device)]
    lagging.step(twins, normals(1, SIZES))
    lagging.step(other[0], normals(1, SIZES))

    def step_and_drop():
        twins.found.step()
        other.clear()
        gc.collect()

    with lagging.device.stepping():
        replay = lagging.device.capture(step_and_drop)
    twins.expected.step()
    replay()
    twins.assert_same()


def test_blocks_are_counted_anew_after_a_launch_that_failed(lagging):
    lagging.catch_up()
    starts = [*normals(0, (4097,)), *normals(1, (70_000,), "f64")]
    parameters = [lagging.device.put(start) for start in starts]
    optimizer = optim.Adam(parameters, stats=True)
    norms = []
    for t in range(1, 5):
        for p, start in zip(parameters, starts, strict=True):
            p.grad = lagging.device.put(t * start)
        lagging.module.fail_launches(2, 1 if t == 2 else 0)  # prepare, the update of the first dtype, that of the other
        with lagging.device.stepping():
            if t == 2:
                with pytest.raises(RuntimeError, match="failed on the CPU: invalid configuration argument"):
                    optimizer.step()
            else:
                optimizer.step()
                norms.append(optimizer.stats().gradient_norm)
    norm = np.sqrt(sum((start.astype(np.float64) ** 2).sum() for start in starts))
    assert norms == [pytest.approx(t * norm, 1e-6) for t in (1, 3, 4)]  # those of float32 are rounded
