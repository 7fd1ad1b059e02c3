"""The yardstick of a device's memory crosses it and changes nothing."""

import numpy as np
import pytest
import torch

from gradstep.interop import devices
from support.arrays import normal


def arrays(device, size, count=4):
    return [device.put(normal(seed, size, "f32")) for seed in range(count)]


@pytest.mark.parametrize("size", [4, 1020, 1024, 1028, 300_004])
def test_it_changes_no_byte(device, size):
    *written, read = made = arrays(device, size)
    before = [device.get(each) for each in made]
    with device.stepping():
        devices.read_modify_write(written, read)()
    for array, values in zip(made, before, strict=True):
        np.testing.assert_array_equal(device.get(array), values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda made: made[1:], r"^three arrays are written, and 2 were given$"),
        (lambda made: [made[0], made[1][:16], *made[2:]], r"^array 1 has another size: pass arrays of one size$"),
        (lambda made: [*made[:3], made[3].view(4, 10)[:, :8]], r"^array 3 must be contiguous and some packs of 16"),
        (lambda made: [made[0][:38], *made[1:]], r"^array 0 must be contiguous and some packs of 16 bytes"),
        (lambda made: [torch.zeros(41, device=made[0].device)[1:], *made[1:]], r"^array 0 .* at a multiple of 16"),
    ],
    ids=["few", "sizes", "gaps", "odd", "shifted"],
)
def test_what_it_can_not_cross_is_refused(device, change, message):
    *written, read = change(arrays(device, 40))
    with device.stepping(), pytest.raises(ValueError, match=message):
        devices.read_modify_write(written, read)
