"""The loop that steps are held against crosses the memory and changes nothing."""

import numpy as np
import pytest

from gradstep import _core


@pytest.mark.parametrize("threads", [1, 2])
def test_yardstick_changes_no_byte(threads):
    random = np.random.default_rng(0)
    written = [random.standard_normal(300_001).astype(np.float32) for _ in range(3)]
    read = [random.standard_normal(300_001).astype(np.float32)]
    before = [array.tobytes() for array in written + read]
    _core.ReadModifyWrite([(written, read)]).run(threads)
    assert [array.tobytes() for array in written + read] == before


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((4, 4))[:, ::2], "not contiguous"),
        (np.broadcast_to(np.ones(1), (1,)), "read-only"),
        (np.ones(5), "another size"),
    ],
)
def test_yardstick_refuses(array, message):
    with pytest.raises(ValueError, match=message):
        _core.ReadModifyWrite([([np.ones(array.size + (message == "another size")), array], [])])
