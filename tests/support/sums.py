"""The tree of a sum: leaves of 4096 elements in 32 lanes, folded by halves, then pairwise by index."""

import numpy as np

LEAF, LANES = 4096, 32


def leaf(squares):
    lanes = np.zeros(LANES)
    for start in range(0, len(squares), LANES):
        part = squares[start : start + LANES]
        lanes[: len(part)] += part
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    return lanes[0]


def pairwise(values):
    values = list(values)
    while len(values) > 1:
        values = [values[i] + values[i + 1] if i + 1 < len(values) else values[i] for i in range(0, len(values), 2)]
    return values[0] if values else 0.0


def norm(arrays):
    """For float32: the squares are exact in float64, so that only the order of the additions counts."""
    squares = [np.ravel(a).astype(np.float64) ** 2 for a in arrays]
    return np.sqrt(pairwise(pairwise(leaf(s[i : i + LEAF]) for i in range(0, len(s), LEAF)) for s in squares))
