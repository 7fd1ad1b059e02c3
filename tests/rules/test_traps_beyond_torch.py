"""The traps of rules that torch has not, a test each; those of a trajectory are in reference.py."""

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, step_all
from support.tolerances import TENS_OF_ULP

EPS = np.finfo(np.float64).eps


def stepped(optimizer, *gradients):
    """The optimizer over one number after a step with each gradient."""
    return step_all(optimizer, [[np.array([g])] for g in gradients])


def test_nadamw_corrects_both_terms_by_the_present_step():
    # Trap: torch's NAdam warms its momentum up and optax corrects m by 1 - beta1^(t + 1): other rules of that name.
    p = np.array([0.0])
    stepped(gradstep.NAdamW([p], lr=1.0, betas=(0.75, 0.5), eps=0.0), -3.0)
    # m' = (beta1 (1 - beta1) + (1 - beta1)) g, over 1 - beta1
    np.testing.assert_allclose(p, 1.75, rtol=2 * EPS)


def test_the_slow_mean_of_ademamix_is_not_corrected_for_its_start():
    p = np.array([0.0])
    stepped(gradstep.AdEMAMix([p], lr=1.0, betas=(0.5, 0.5, 0.75), alpha=2.0, eps=0.0), -3.0)
    np.testing.assert_allclose(p, 1 + 2 * 0.25, rtol=2 * EPS)


def warm_betas(updates, **hyper):
    """beta3 of each update, from the slow mean s of gradients of 1: 1 - s is multiplied by it."""
    optimizer = gradstep.AdEMAMix([np.array([0.0])], **hyper)
    missing = [1.0]
    for _ in range(updates):
        stepped(optimizer, 1.0)
        missing.append(1 - optimizer.state[0]["exp_avg_slow"][0])
    return np.divide(missing[1:], missing[:-1])


def test_beta3_of_ademamix_warms_up_by_its_half_life():
    # Trap: a beta3 that grows linearly jumps over the half-lives between.
    found = warm_betas(6, betas=(0.8, 0.9, 0.95), beta3_warmup=4)
    first, last = 1 / np.log(0.8), 1 / np.log(0.95)
    expected = [np.exp(1 / (first + min(t / 4, 1) * (last - first))) for t in range(1, 7)]
    np.testing.assert_allclose(found, expected, rtol=TENS_OF_ULP)  # quotients of differences from 1


def test_beta3_of_ademamix_is_never_above_its_end():
    np.testing.assert_allclose(warm_betas(3, betas=(0.9, 0.9, 0.5), beta3_warmup=10), 0.5, rtol=TENS_OF_ULP)


def test_beta3_of_ademamix_warms_up_from_a_beta1_of_zero():
    # Trap: the logarithm of 0 is infinite, and infinity over infinity NaN.
    found = warm_betas(3, betas=(0.0, 0.9, 0.5), beta3_warmup=4)
    np.testing.assert_allclose(found, [0.5**4, 0.5**2, 0.5 ** (4 / 3)], rtol=TENS_OF_ULP)


def test_alpha_of_ademamix_warms_up_once_for_all_parameters():
    # Trap: bitsandbytes' reference changes alpha in its loop over parameters, so that later ones get less.
    arrays = [np.array([0.0]) for _ in range(3)]
    optimizer = gradstep.AdEMAMix(arrays, lr=1.0, betas=(0.5, 0.5, 0.75), alpha=2.0, eps=0.0, alpha_warmup=4)
    optimizer.step([np.array([-3.0])] * 3)
    np.testing.assert_allclose(arrays, 1 + 2 / 4 * 0.25, rtol=2 * EPS)


def test_the_slow_mean_of_ademamix_survives_bfloat16_parameters():
    # Trap: 0.9999 is 1 in bfloat16, and a mean that is kept in it stands still.
    ml_dtypes = pytest.importorskip("ml_dtypes")
    optimizer = gradstep.AdEMAMix([np.zeros(1, ml_dtypes.bfloat16)])
    step_all(optimizer, [[np.ones(1, ml_dtypes.bfloat16)]] * 100)
    slow = optimizer.state[0]["exp_avg_slow"]
    assert slow.dtype == np.float32
    # A hundred updates with two roundings each, of numbers that grow to 0.01.
    np.testing.assert_allclose(slow, 1 - 0.9999**100, rtol=100 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("decoupled", [False, True])
def test_the_first_update_of_adopt_starts_the_second_moment_alone(decoupled):
    p = np.array([2.0])
    optimizer = gradstep.ADOPT([p], lr=0.5, weight_decay=0.25, decoupled_weight_decay=decoupled)
    stepped(optimizer, 3.0)
    assert p == 2.0
    assert optimizer.state[0]["exp_avg"] == 0.0
    assert optimizer.state[0]["exp_avg_sq"] == (3.0 if decoupled else 3.0 + 0.25 * 2.0) ** 2


def test_each_parameter_of_adopt_has_its_own_first_update():
    early, late = np.array([1.0]), np.array([1.0])
    optimizer = gradstep.ADOPT([early, late], lr=0.5)
    optimizer.step([np.array([1.0]), None])
    optimizer.step([np.array([1.0]), np.array([1.0])])
    assert early < 1.0
    assert late == 1.0


def test_eps_of_adopt_bounds_the_divisor_and_is_not_added():
    p = np.array([0.0])
    stepped(gradstep.ADOPT([p], lr=1.0, betas=(0.5, 0.5), eps=2.0), 4.0, 2.0)
    assert p == -0.5 * (2.0 / 4.0)
    p = np.array([0.0])
    stepped(gradstep.ADOPT([p], lr=1.0, betas=(0.5, 0.5), eps=8.0), 4.0, 2.0)
    assert p == -0.5 * (2.0 / 8.0)


def test_adopt_clips_by_the_updates_before_this_one():
    # Trap: with t in the place of t - 1 the second update may go further.
    p = np.array([0.0])
    optimizer = stepped(gradstep.ADOPT([p], lr=1.0, betas=(0.0, 0.0)), 1.0, 100.0)
    assert p == -1.0
    stepped(optimizer, -1e6)
    np.testing.assert_allclose(p, -1.0 + 2**0.25, rtol=4 * EPS)


def test_adan_decays_proximally_unless_told_otherwise():
    for no_prox, kept in ((False, 1 / (1 + 0.5 * 0.25)), (True, 1 - 0.5 * 0.25)):
        p = np.array([2.0])
        stepped(gradstep.Adan([p], lr=0.5, weight_decay=0.25, no_prox=no_prox), 0.0)
        np.testing.assert_allclose(p, 2.0 * kept, rtol=2 * EPS)


def test_the_proximal_decay_of_adan_is_after_the_update():
    p = np.array([2.0])
    stepped(gradstep.Adan([p], lr=0.5, weight_decay=0.25, eps=0.0), 3.0)
    np.testing.assert_allclose(p, (2.0 - 0.5) / (1 + 0.5 * 0.25), rtol=4 * EPS)


def test_the_first_change_of_adan_is_zero():
    # Trap: against a previous gradient of 0 it would be the gradient itself.
    optimizer = stepped(gradstep.Adan([np.array([0.0])]), 3.0)
    assert optimizer.state[0]["exp_avg_diff"] == 0.0
    assert optimizer.state[0]["prev"] == 3.0
    stepped(optimizer, 5.0)
    np.testing.assert_allclose(optimizer.state[0]["exp_avg_diff"], (1 - 0.92) * 2.0, rtol=EPS)


def test_betas_of_adan_say_how_much_is_kept():
    # Trap: the paper's say how much is new.
    state = stepped(gradstep.Adan([np.array([0.0])], betas=(0.75, 0.5, 0.875)), 8.0).state[0]
    assert (state["exp_avg"], state["exp_avg_sq"]) == (0.25 * 8.0, 0.125 * 8.0**2)


def test_laprop_normalises_each_gradient_before_it_averages():
    # Trap: the other way round (Adam) an outlier's size stays in the mean when it has left the divisor.
    p = np.array([0.0])
    optimizer = stepped(gradstep.LaProp([p], lr=1.0, betas=(0.5, 0.0), eps=0.0), 1000.0)
    assert p == -1.0
    stepped(optimizer, -1.0)
    assert optimizer.state[0]["exp_avg"] == 0.5 * 0.5 - 0.5


def test_the_rate_of_laprop_is_outside_of_its_mean():
    p = np.array([0.0])
    optimizer = stepped(gradstep.LaProp([p], lr=1.0, betas=(0.5, 0.0), eps=0.0), 1.0)
    optimizer.param_groups[0]["lr"] = 4.0
    stepped(optimizer, 1.0)
    assert p == -1.0 - 4.0


def test_adam_atan2_needs_no_eps():
    # Trap: 0 / 0 is NaN; the angle of nothing is 0.
    p = np.array([1.0, 1.0], np.float32)
    step_all(gradstep.AdamAtan2([p], lr=0.5), [[np.array([0.0, 1.0], np.float32)]] * 2)
    assert p[0] == 1.0
    assert p[1] < 1.0


def test_adam_atan2_does_not_see_the_scale_of_gradients():
    found = []
    for scale in (1.0, 2.0**-40, 2.0**40):
        p = normal(0, 50)
        step_all(gradstep.AdamAtan2([p], lr=0.1), [[normal(t, 50) * np.float32(scale)] for t in (1, 2, 3)])
        found.append(p)
    assert_same_bits(found[1], found[0])
    assert_same_bits(found[2], found[0])


def test_the_update_of_adam_atan2_is_bounded():
    # Adam's ratio may reach (1 - beta1) / sqrt(1 - beta2), 10 here, where a gradient comes after none.
    p = np.array([0.0])
    optimizer = gradstep.AdamAtan2([p], lr=1.0, betas=(0.0, 0.99), a=1.0)
    stepped(optimizer, *[1e-9] * 1000, 1.0)
    before = p.copy()
    stepped(optimizer, 1e9)
    moved = float((before - p)[0])
    np.testing.assert_allclose(moved, np.arctan(10), rtol=1e-4)  # the remainder of the earlier gradients
