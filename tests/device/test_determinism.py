"""A step's bits do not depend on the order in which a device takes its blocks and threads."""

import pytest

from support.cases import ONE_EACH
from support.devices import device_named
from support.twins import Twins, normals

SIZES = (1, 4097, 150_000, *[17] * 300)


@pytest.fixture
def backwards():
    """The last block and thread come first, and so the first block is the last to arrive."""
    device = device_named("emulated")
    from gradstep import _emulated

    _emulated.set_backwards(True)
    yield device
    _emulated.set_backwards(False)


@pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.kernel)
def test_blocks_and_threads_in_falling_order(backwards, case):
    twins = Twins(backwards, lambda p: case.over_tensors(p, clip_norm=0.7, stats=True), normals(0, SIZES))
    for t in (1, 2):
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()
        assert twins.found.stats() == twins.expected.stats()
