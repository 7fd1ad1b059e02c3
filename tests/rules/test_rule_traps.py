"""The traps of other libraries' update rules, a test each. Those of a trajectory are in reference.py, those of rules
that torch has not in test_traps_beyond_torch.py.
"""

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, awkward, normal, step_all
from support.cases import ALL_CASES, CASES, Case
from support.tolerances import TENS_OF_ULP

each_rule = pytest.mark.parametrize("case", CASES, ids=str)
#: those that look at each element by itself
each_element_rule = pytest.mark.parametrize("case", [case for case in ALL_CASES if case.scope == "element"], ids=str)


def one(value, dtype=np.float32):
    return np.array([value], dtype)


def test_bias_corrections_are_formed_in_double():
    # Trap: 1 - beta2^t in float loses digits at small t: 1.3e-5 of it at t = 1 and beta2 = 0.999. Equal
    # gradients give a direction of 1, to the half ulp of each of five roundings.
    for t in (1, 2, 3):
        p = one(0.0)
        step_all(gradstep.Adam([p], lr=1.0, eps=0.0), [[one(3.0)]] * t)
        assert abs(p[0] + t) <= t * 2.5 * np.finfo(np.float32).eps


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adamax", "NAdam", "NAdamW", "AdamAtan2", "RAdam", "Lion"])
def test_weights_of_moments_are_formed_in_double(name):
    # Trap: 1 - float(beta) has 50 to 400 times the error of float(1 - beta) at beta = 0.99 to 0.999.
    optimizer = getattr(gradstep, name)([one(1.0)], betas=(0.999, 0.999))
    optimizer.step([one(1.0)])
    # The weight is rounded to float once, the product once.
    np.testing.assert_allclose(optimizer.state[0]["exp_avg"], 0.001, rtol=np.finfo(np.float32).eps)


def test_lerp_switches_form_at_a_weight_of_one_half():
    # Trap: a + w * (b - a) does not reach b at w = 1 when a is large: beta = 0 must give the gradient itself.
    optimizer = gradstep.Adam([one(1.0)], betas=(0.0, 0.999))
    step_all(optimizer, [[one(1e8)], [one(0.1)]])
    assert optimizer.state[0]["exp_avg"] == np.float32(0.1)


def test_momentum_starts_at_the_update_that_finds_no_buffer():
    # Trap: not at the first update of all: momentum may come up from 0 later, and then there is no dampening.
    p = one(1.0, np.float64)
    optimizer = gradstep.SGD([p], lr=0.5, momentum=0.0, dampening=0.25)
    optimizer.step([one(2.0, np.float64)])
    assert p == 0.0
    assert optimizer.state[0] == {}
    optimizer.param_groups[0]["momentum"] = 0.5
    step_all(optimizer, [[one(2.0, np.float64)], [one(4.0, np.float64)]])
    assert optimizer.state[0]["momentum_buffer"] == 0.5 * 2.0 + 0.75 * 4.0
    assert p == -0.5 * (2.0 + 4.0)


def test_the_rate_is_outside_of_the_momentum_buffer():
    # Trap: inside of it (sklearn, TensorFlow) a change of rate acts late.
    p = one(0.0, np.float64)
    optimizer = gradstep.SGD([p], lr=0.25, momentum=0.5)
    optimizer.step([one(1.0, np.float64)])
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step([one(1.0, np.float64)])
    assert p == -0.25 - 1.5


@each_rule
def test_gradients_are_only_read(case):
    # Trap: torch's foreach Nesterov and DeepSpeed's Adagrad write into the gradients.
    for dtype in DTYPES:
        gradient = normal(1, 1030, dtype)
        before = gradient.copy()
        step_all(case.over([normal(0, 1030, dtype)], maximize=True), [[gradient]] * 3)
        assert_same_bits(gradient, before)


@each_rule
def test_states_do_not_alias_gradients(case):
    # Trap: torch's for-loop SGD returns its buffer as the gradient; a state must not share memory.
    gradient = normal(1, 70)
    optimizer = case.over([normal(0, 70)])
    optimizer.step([gradient])
    assert not any(np.shares_memory(v, gradient) for v in optimizer.state[0].values())


@pytest.mark.parametrize("name", ["Lion", "Signum"])
def test_the_sign_of_zero_is_zero(name):
    # Trap: DeepSpeed's Lion moves by lr where the sum is 0, to either side on CPU and GPU.
    for zero in (0.0, -0.0):
        p = one(3.0)
        getattr(gradstep, name)([p], lr=0.5).step([one(zero)])
        assert p == 3.0


@each_element_rule
def test_nan_stays_where_it_is(case):
    # Trap: comparisons swallow NaN (a clamp, a maximum, a sign); bitsandbytes skips such elements silently.
    p, clean = normal(0, 40), normal(0, 40)
    gradient = normal(1, 40)
    step_all(case.over([clean]), [[gradient]] * 2)
    gradient[7] = np.nan
    step_all(case.over([p]), [[gradient]] * 2)  # ADOPT's first moves nothing
    assert np.isnan(p[7])
    others = np.arange(40) != 7
    assert_same_bits(p[others], clean[others])


@pytest.mark.parametrize("case", [*CASES, Case("Adam", {}), Case("RAdam", {}), Case("NAdam", {})], ids=str)
def test_a_rate_of_zero_changes_nothing(case):
    # Trap: torch's capturable Adam divides eps by the step size, which is NaN at lr = 0 where v is 0.
    if case.name == "Rprop":
        pytest.skip("its lr is the first step size, which is then clamped to step_sizes")
    p = normal(0, 40)
    before = p.copy()
    gradient = np.where(np.arange(40) < 20, 0, normal(1, 40)).astype(np.float32)
    lambd = {"lambd": 0.0} if case.name == "ASGD" else {}
    step_all(case.over([p], lr=0.0, weight_decay=0.0, **lambd), [[gradient]] * 2)
    assert_same_bits(p, before)


@pytest.mark.parametrize(
    "name", ["AdamW", "Lion", "Signum", "Adam", "SGD", "NAdamW", "AdamAtan2", "AdEMAMix", "LaProp"]
)
def test_decoupled_decay_is_one_multiplication_before_the_update(name):
    # Trap: apex adds lr * decay * p, bitsandbytes decays after the update, torch's fused CUDA subtracts. The
    # factor is formed in double, and a gradient of 0 shows it alone.
    p = normal(0, 200)
    kept = p * np.float32(1 - 0.3 * 0.01)
    optimizer = getattr(gradstep, name)([p], lr=0.3, weight_decay=0.01, decoupled_weight_decay=True)
    optimizer.step([np.zeros(200, np.float32)])
    assert_same_bits(p, kept)


@pytest.mark.parametrize("lr_decay", [1.0])
def test_time_goes_on_beyond_what_a_float_counts(lr_decay):
    # Trap: torch's float32 step stops at 2^24 = 16,777,216.
    torch = pytest.importorskip("torch")
    from gradstep import optim

    start, g = 2**24 - 1, 3.0
    p = torch.zeros(1, dtype=torch.float64)
    optimizer = optim.Adagrad([p], lr=1.0, lr_decay=lr_decay, initial_accumulator_value=16.0, eps=0.0)
    optimizer.state[p]["step"].fill_(start)
    expected, total = 0.0, 16.0
    for t in range(start + 1, start + 5):
        p.grad = torch.full((1,), g, dtype=torch.float64)
        optimizer.step()
        total += g * g
        expected -= g / np.sqrt(total) / (1 + (t - 1) * lr_decay)
    # A time that stood still would be wrong by 1e-7; four float64 updates are not by 1e-14.
    np.testing.assert_allclose(p.item(), expected, rtol=TENS_OF_ULP)


@pytest.mark.parametrize("dtype", DTYPES)
@each_element_rule
def test_awkward_numbers_do_not_spread(case, dtype):
    # An element's result depends on that element alone: whatever every second one is, the others stay.
    odd = np.arange(300) % 2 == 1
    found = []
    for seed in (5, 6):
        p, g = normal(1, 300, dtype), normal(2, 300, dtype)
        p[odd], g[odd] = awkward(seed, 150, dtype), awkward(seed + 9, 150, dtype)
        step_all(case.over([p]), [[g]] * 3)
        found.append(p[~odd])
    assert_same_bits(*found)
