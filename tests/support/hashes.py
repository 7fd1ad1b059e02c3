"""Digests of every rule's parameters and states after some steps over awkward numbers.

Run as a script it prints them as JSON, with the target that made them.
"""

import json

from support.arrays import DTYPES, digest, numbers_for, step_all
from support.cases import ALL_CASES, OPTIONS

SIZE = 3 * 4096 + 37
STEPS = 4


def trajectory(case, dtype, **options):
    """The digest of one rule's parameters and states over NumPy arrays."""
    p = numbers_for(case, 1, SIZE, dtype)
    gradients = [[numbers_for(case, 10 + t, SIZE, dtype)] for t in range(STEPS)]
    optimizer = step_all(case.over([p], **options), gradients)
    return digest([p, *optimizer.state[0].values()])


def all_digests():
    digests = {}
    for i, case in enumerate(ALL_CASES):
        for dtype in DTYPES:
            options = OPTIONS[i % len(OPTIONS)] if case.hyper else {}
            options = {**options, "state_dtype": "param" if i % 2 else None}
            digests[f"{case} {dtype}"] = trajectory(case, dtype, **options)
    return digests


if __name__ == "__main__":
    from gradstep import _core

    print(json.dumps({"target": _core.active_target(), "digests": all_digests()}))
