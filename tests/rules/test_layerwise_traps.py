"""The traps of LAMB, LARS and StableAdamW, a test each."""

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, step_all
from support.tolerances import FEW_ULP, SINGLE, TENS_OF_ULP

EPS = np.finfo(np.float64).eps


def moved(name, p, g, **hyper):
    """The amount that one step subtracts from p."""
    after = p.copy()
    getattr(gradstep, name)([after], **hyper).step([g])
    return p - after


def lamb(p, g, **hyper):
    """LAMB whose direction is the sign of the gradient, at a rate of 1."""
    return moved("LAMB", p, g, **{"lr": 1.0, "eps": 0.0, "weight_decay": 0.0, **hyper})


def lars(p, g, **hyper):
    """LARS without momentum, at a rate of 1 and a coefficient of 1."""
    return moved("LARS", p, g, **{"lr": 1.0, "momentum": 0.0, "trust_coeff": 1.0, "eps": 0.0, **hyper})


def test_each_tensor_has_its_own_ratio():
    p = [np.full(4, 8.0), np.full(4, 2.0)]
    gradstep.LAMB(p, lr=0.25, eps=0.0, weight_decay=0.0).step([np.ones(4), np.full(4, -1.0)])
    np.testing.assert_allclose(p, [np.full(4, 6.0), np.full(4, 2.5)], rtol=2 * EPS)


@pytest.mark.parametrize("of", [lamb, lars])
def test_a_norm_of_zero_has_a_ratio_of_one(of):
    # Trap: 0 / 0; and a ratio of 0 would keep a tensor that starts at zero there for ever.
    zero, p, g = np.zeros(4), np.full(4, 3.0), np.array([1.0, -1.0, 1.0, 1.0])
    np.testing.assert_array_equal(of(zero, g), g)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(lars(p, zero), zero)


def test_the_norm_of_the_parameter_is_from_before_the_update():
    # At lr = 1 the update has the norm of p: of p after its decay it would be smaller.
    p = normal(0, 50, "f64")
    found = lamb(p, normal(1, 50, "f64"), weight_decay=0.5)
    np.testing.assert_allclose(np.linalg.norm(found), np.linalg.norm(p), rtol=TENS_OF_ULP)  # sums of 50 terms


def test_the_decay_of_lamb_is_in_the_norm_of_its_direction():
    # Trap: outside of the norm (timm's decoupled_decay) the update has another size.
    p, g = np.array([3.0, 4.0]), np.array([2.0, -1.0])
    u = np.array([1.0, -1.0]) + 0.5 * p
    expected = 0.1 * 5 / np.linalg.norm(u) * u
    np.testing.assert_allclose(lamb(p, g, lr=0.1, weight_decay=0.5), expected, rtol=TENS_OF_ULP)  # a difference of p


def test_cautious_decay_of_lamb_is_cautious_in_the_norm_too():
    p, g = np.array([3.0, 4.0]), np.array([2.0, -1.0])
    u = np.array([1.0 + 0.5 * 3.0, -1.0])
    expected = 0.1 * 5 / np.linalg.norm(u) * u
    np.testing.assert_allclose(lamb(p, g, lr=0.1, weight_decay=0.5, cautious=True), expected, rtol=TENS_OF_ULP)


def test_a_ratio_of_lamb_has_a_limit():
    p, g = np.full(4, 8.0), np.ones(4)
    np.testing.assert_allclose(lamb(p, g), 8.0, rtol=EPS)
    np.testing.assert_array_equal(lamb(p, g, max_ratio=1.0), 1.0)  # timm's trust_clip
    np.testing.assert_array_equal(lamb(p, g, max_ratio=2.5), 2.5)
    small = np.full(4, 0.5)
    np.testing.assert_allclose(lamb(small, g, max_ratio=1.0), 0.5, rtol=EPS)  # it is no lower limit


@pytest.mark.parametrize(("of", "alone"), [(lamb, 1.0), (lars, 2.0)])
def test_tensors_without_decay_may_be_left_alone(of, alone):
    # Trap: apex (but for use_nvlamb) and timm do so by default, the papers and optax do not.
    p, g = np.full(4, 8.0), np.full(4, 2.0)
    np.testing.assert_allclose(of(p, g, weight_decay=0.0), 8.0, rtol=EPS)
    np.testing.assert_array_equal(of(p, g, weight_decay=0.0, always_adapt=False), alone)
    with_decay = of(p, g, weight_decay=0.25, always_adapt=False)
    assert_same_bits(with_decay, of(p, g, weight_decay=0.25))
    assert with_decay[0] > 2 * alone + 0.25 * 8.0


def test_bias_correction_of_lamb_may_be_off():
    # The ratio hides it: it is a factor of the whole direction, (1 - beta1) / sqrt(1 - beta2) at the first update.
    p, g = np.array([8.0, 8.0]), np.array([1.0, -1.0])
    hyper = {"betas": (0.5, 0.9375), "always_adapt": False}
    np.testing.assert_array_equal(lamb(p, g, **hyper), g)
    np.testing.assert_array_equal(lamb(p, g, **hyper, bias_correction=False), 2 * g)


def test_gradients_of_lamb_may_be_summed():
    p, g = np.array([8.0, 8.0]), np.array([1.0, -1.0])
    hyper = {"betas": (0.75, 0.9375), "always_adapt": False, "bias_correction": False}
    np.testing.assert_array_equal(lamb(p, g, **hyper, grad_averaging=False), 4 * lamb(p, g, **hyper))


def test_pre_norm_of_nvlamb_is_clip_norm():
    # Clipping comes before the moments: of a clipped gradient they are those of g / max(1, norm / c), up to 1e-6
    # on the norm, which is torch's formula.
    g = [np.full(3, 4.0), np.full(1, 11.0)]  # a norm of 13
    optimizer = gradstep.LAMB([np.ones(3), np.ones(1)], clip_norm=1.0, betas=(0.5, 0.5))
    optimizer.step(g)
    for state, each in zip(optimizer.state, g, strict=True):
        np.testing.assert_allclose(state["exp_avg"], 0.5 * each / 13, rtol=SINGLE / 13 * 1.01)


def test_lars_adds_norms_and_not_the_gradient_and_its_decay():
    # Trap: optax takes the norm of their sum, which is 0 here.
    p, g = np.full(4, 8.0), np.full(4, -2.0)
    np.testing.assert_allclose(lars(p, g + 1, weight_decay=0.25), 16 / (2 + 4) * (-1 + 2), rtol=FEW_ULP)


def test_eps_of_lars_is_in_the_divisor():
    np.testing.assert_array_equal(lars(np.full(4, 8.0), np.full(4, 2.0), eps=12.0), 2.0)  # 16 / (4 + 12) * 2


def test_the_momentum_of_lars_is_of_scaled_gradients_and_without_the_rate():
    # Trap: optax and the paper have the rate inside: a change of rate acts late there.
    p, g = np.full(4, 8.0), np.full(4, 2.0)
    optimizer = gradstep.LARS([p], lr=0.5, momentum=0.5, trust_coeff=0.25, eps=0.0)
    optimizer.step([g])
    np.testing.assert_array_equal(optimizer.state[0]["momentum_buffer"], 2.0)
    np.testing.assert_array_equal(p, 7.0)
    optimizer.param_groups[0]["lr"] = 2.0
    optimizer.step([g])
    np.testing.assert_array_equal(optimizer.state[0]["momentum_buffer"], 0.5 * 2.0 + 0.25 * 7.0)
    np.testing.assert_array_equal(p, 7.0 - 2.0 * 2.75)


def test_trust_clip_of_lars_limits_the_rate():
    p, g = np.full(4, 8.0), np.full(4, 2.0)
    np.testing.assert_array_equal(lars(p, g, lr=0.5, trust_clip=True), 0.5 * g)  # the ratio is 4
    np.testing.assert_array_equal(lars(p, g, lr=8.0, trust_clip=True), 4.0 * g)
    np.testing.assert_array_equal(lars(p, g, lr=0.0, trust_clip=True), 0.0)


def test_stable_adamw_takes_the_first_gradient_as_its_moments():
    optimizer = gradstep.StableAdamW([np.zeros(2)], betas=(0.75, 0.5))
    optimizer.step([np.array([3.0, -4.0])])
    np.testing.assert_array_equal(optimizer.state[0]["exp_avg"], [3.0, -4.0])
    np.testing.assert_array_equal(optimizer.state[0]["exp_avg_sq"], [9.0, 16.0])


def stable(second, **hyper):
    """The second update of StableAdamW without a first moment, after a gradient of 1; v is (1 + second^2) / 2."""
    p = np.ones(1)
    optimizer = gradstep.StableAdamW([p], lr=0.25, **{"betas": (0.0, 1 - 2**-40), "eps": 0.0, **hyper})
    step_all(optimizer, [[np.ones(1)]])
    before = p.copy()
    optimizer.step([np.array([second])])
    return p / before if hyper.get("weight_decay") else before - p


def test_stable_adamw_divides_its_rate_by_what_is_above_one():
    # g / sqrt(v) is clipped to 1 where g is large, and left where it is small. v is a mean of two: 2^-40 from that.
    np.testing.assert_allclose(stable(7.0, weight_decay=0.0), 0.25, rtol=1e-11)
    np.testing.assert_allclose(stable(0.5, weight_decay=0.0), 0.25 * 0.5 / np.sqrt(0.625), rtol=1e-11)


def test_the_decay_of_stable_adamw_shrinks_with_the_rate():
    # Trap: in timm and others it does not.
    optimizer = gradstep.StableAdamW([p := np.ones(1)], lr=0.25, betas=(0.0, 1 - 2**-40), eps=0.0, weight_decay=0.5)
    optimizer.step([np.ones(1)])
    before = p.copy()
    optimizer.step([np.array([7.0])])
    np.testing.assert_allclose(p, (1 - 0.25 * 0.5 / (7 / 5)) * before - 0.25, rtol=1e-11)


def test_eps_of_stable_adamw_bounds_the_mean_square():
    # Trap: added to the root as in timm it would be 1 / (1 / 2 + 2), and no part of the mean above 1.
    found = stable(1.0, weight_decay=0.0, eps=2.0)
    np.testing.assert_allclose(found, 0.25 / (1 + 2), rtol=1e-11)
    found = stable(7.0, weight_decay=0.0, eps=2.0)  # 7 / max(5, 2)
    np.testing.assert_allclose(found, 0.25 / (7 / 5) * 7 / (5 + 2), rtol=1e-11)


@pytest.mark.parametrize("name", ["LAMB", "LARS", "Prodigy"])
def test_switches_are_true_or_false(name):
    for switch in getattr(gradstep, name).switches():
        with pytest.raises(TypeError, match=f"Invalid {switch}: 1: pass True or False"):
            getattr(gradstep, name)([np.ones(1)], **{switch: 1})


def test_nesterov_of_lars_needs_momentum_and_no_dampening():
    with pytest.raises(ValueError, match=r"Nesterov momentum requires .* got momentum=0\.5, dampening=0\.1"):
        gradstep.LARS([np.ones(1)], momentum=0.5, dampening=0.1, nesterov=True)
