"""The kinds of weight decay, on every rule."""

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal
from support.cases import CASES
from support.tolerances import FEW_ULP, TENS_OF_ULP

SIZE = 200
LR, PEAK, DECAY = 0.0625, 0.25, 0.375

KEEP = {  # the factor of the parameter before the update
    True: 1 - LR * DECAY,
    "full": 1 - LR / PEAK * DECAY,
    "corrected": 1 - LR * (LR / PEAK) * DECAY,
}
#: rules without a direction (ASGD, Schedule-Free), with a special decay at some step (ADOPT's first, Adan's division),
#: or with a special rate
OTHERWISE = {"ASGD", "ScheduleFreeSGD", "ScheduleFreeAdamW", "ADOPT", "Adan", "LAMB", "LARS", "Prodigy"}

each_kind = pytest.mark.parametrize("kind", KEEP)
directed = pytest.mark.parametrize("case", [case for case in CASES if case.name not in OTHERWISE], ids=str)


def decayed(case, p, g, **options):
    case.over([p], **{"lr": LR, "weight_decay": DECAY, "peak_lr": PEAK, **options}).step([g])
    return p


@each_kind
@directed
def test_kinds(case, kind):
    p, g = normal(0, SIZE, "f64"), normal(1, SIZE, "f64")
    bare = case.over([q := np.zeros_like(p)], lr=LR, weight_decay=0.0)
    bare.step([g])  # from zero the parameter is the update itself
    found = decayed(case, p.copy(), g, decoupled_weight_decay=kind)
    # Adding the update to p rounds once where the reference rounds twice.
    np.testing.assert_allclose(found, KEEP[kind] * p + q, rtol=TENS_OF_ULP, atol=FEW_ULP)


@each_kind
@directed
def test_cautious_decays_where_the_update_has_the_parameters_sign(case, kind):
    p, g = normal(0, SIZE, "f64"), normal(1, SIZE, "f64")
    p[0] = 0.0
    options = {"decoupled_weight_decay": kind}
    everywhere = decayed(case, p.copy(), g, **options)
    nowhere = decayed(case, p.copy(), g, **options, weight_decay=0.0)
    from_zero = decayed(case, np.zeros_like(p), g, **options)
    same_sign = -from_zero * p >= 0
    assert 0 < same_sign.sum() < SIZE
    found = decayed(case, p.copy(), g, **options, cautious=True)
    assert_same_bits(found, np.where(same_sign, everywhere, nowhere))


def test_the_rates_schedule_scales_the_kinds():
    lr = gradstep.Linear(PEAK, 0.0, 4)
    p = np.ones(1)
    optimizer = gradstep.SGD([p], lr=lr, weight_decay=0.5, decoupled_weight_decay="full", peak_lr=PEAK)
    expected = 1.0
    for t in range(4):
        optimizer.step([np.zeros(1)])
        expected *= 1 - 0.5 * lr(t) / PEAK
        assert p[0] == expected


def test_refusals():
    p = np.ones(2)
    with pytest.raises(ValueError, match="cautious=True needs decoupled decay: pass decoupled"):
        gradstep.Adam([p], lr=0.1, cautious=True)
    with pytest.raises(ValueError, match="'full' compares the rate with its largest: pass it as peak_lr"):
        gradstep.Adam([p], lr=0.1, decoupled_weight_decay="full")
    with pytest.raises(ValueError, match="Invalid decoupled_weight_decay: 'some': it must be one of False, True"):
        gradstep.Adam([p], lr=0.1, decoupled_weight_decay="some")
    with pytest.raises(ValueError, match=r"Invalid peak_lr value: 0\.0"):
        gradstep.Adam([p], lr=0.1, decoupled_weight_decay="full", peak_lr=0.0)
    with pytest.raises(ValueError, match="Adan's division is of the whole update: pass no_prox=True"):
        gradstep.Adan([p], lr=0.1, cautious=True)
    averaged = gradstep.ASGD([p], lr=0.1, cautious=True, decoupled_weight_decay=True)
    with pytest.raises(ValueError, match="looks at the update's direction, and the rule 'asgd' has none"):
        averaged.step([np.ones(2)])
    np.testing.assert_array_equal(p, 1.0)
