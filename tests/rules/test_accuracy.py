"""At least as accurate as torch: the error of ten steps, against the same steps in a wider format."""

import numpy as np
import pytest

from support import reference
from support.arrays import normal, step_all, to_numpy, to_torch
from support.cases import ALL_CASES, torch_cases

torch = pytest.importorskip("torch")

SIZE = 20_000
STEPS = 10
WIDER = {"f32": np.float64, "f64": np.longdouble, "f16": np.float64, "bf16": np.float64}
# Where the same operations are rounded the errors are the same numbers; where they differ, the RMS of 20,000
# errors scatters by 1 / sqrt(2 * 20,000) = 0.5 %.
RATIO = 1.02
#: torch's ways to make a step on the CPU; the first is its default
PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
#: ASGD's for-loop multiplies p by a rounded 1 - lambd * eta, foreach adds lambd * p to the gradient, with a
#: third of the error. gradstep's step is the for-loop's: the other is over 4 ulp from it after five steps.
OTHER_FORM = {("ASGD", "f32"): "foreach"}

SHARED = torch_cases(ALL_CASES)


def torch_result(case, path, start, gradients):
    p = to_torch(start.copy())
    try:
        optimizer = getattr(torch.optim, case.name)([p], **case.hyper, **path)
    except (TypeError, RuntimeError):
        assert "fused" in path  # not every class has it
        return None
    for g in gradients:
        p.grad = to_torch(g.copy())
        optimizer.step()
    return to_numpy(p)


def rms(found, expected):
    return float(np.sqrt(np.mean((found.astype(expected.dtype) - expected) ** 2)))


@pytest.mark.parametrize("dtype", WIDER)
@pytest.mark.parametrize("case", SHARED, ids=str)
def test_error_is_at_most_torchs(case, dtype):
    start, gradients = normal(0, SIZE, dtype), [normal(t, SIZE, dtype) for t in range(1, STEPS + 1)]
    exact = reference.run(case.name, start.astype(WIDER[dtype]), gradients, case.group()).p
    results = {name: torch_result(case, path, start, gradients) for name, path in PATHS.items()}
    results.pop(OTHER_FORM.get((case.name, dtype)), None)
    errors = {name: rms(p, exact) for name, p in results.items() if p is not None}
    p = start.copy()
    step_all(case.over([p]), [[g] for g in gradients])
    assert rms(p, exact) <= RATIO * min(errors.values()), errors
