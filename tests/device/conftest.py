import pytest

from devices import DEVICES, device_named


@pytest.fixture(params=DEVICES)
def device(request):
    """Each device; where there is none of its kind, its tests are skipped."""
    return device_named(request.param)
