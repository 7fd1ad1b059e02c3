"""The tolerance between a converted schedule and its peer."""

import numpy as np

# Both sides compute in float64, in different orders.
FLOAT64 = 1e-12
# The peer computes in float32; an exponent or an angle that it rounds costs it a few units in its last place.
FLOAT32 = 2e-7


def assert_agrees(schedule, values, tolerance):
    """Equal at t = 0, 1, ..., to a share of the largest value."""
    values = np.asarray(values, np.float64)
    found = schedule(range(len(values)))
    worst = int(np.argmax(np.abs(found - values)))
    error = abs(found[worst] - values[worst]) / np.abs(values).max()
    assert error <= tolerance, f"{schedule} is {found[worst]} at t = {worst}, not {values[worst]}: off by {error:.2g}"
