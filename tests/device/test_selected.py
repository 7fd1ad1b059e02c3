"""A step leaves the thread with the device that it had, and sets none where it has the right one."""

import numpy as np
import pytest

import gradstep
from support.devices import device_named


@pytest.mark.parametrize("before", [0, 1])
def test_a_device_is_set_only_where_it_differs(before):
    device = device_named("emulated")
    from gradstep import _emulated as emulated

    w = [np.ones(3, np.float32)]
    optimizer = gradstep.Adam(w, lr=0.1, stats=True)
    emulated.set_device(before)
    with device.stepping():
        optimizer.step([np.ones(3, np.float32)])
        for call in (lambda: optimizer.step([np.ones(3, np.float32)]), optimizer.stats):
            changes = emulated.device_changes()
            call()
            assert emulated.device() == before
            assert emulated.device_changes() - changes in ((2, 4) if before else (0,))  # there and back
    emulated.set_device(0)
