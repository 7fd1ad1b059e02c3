"""No finite gradients make a NaN, in any rule: what overflows lets its element rest, and nothing is divided by 0."""

import ml_dtypes
import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, to_numpy, to_torch
from support.cases import ALL_CASES
from support.devices import device_named


def patterns(dtype):
    """Gradients of one element, step by step."""
    limits = ml_dtypes.finfo(DTYPES[dtype])
    most, least, low = (float(x) for x in (limits.max, limits.smallest_subnormal, limits.tiny))
    return {
        "from end to end": [most, -most] * 12,
        "the largest, then none": [most] * 8 + [-most] * 8 + [0.0] * 8,
        "the smallest": [least, -least, low, 0.0] * 6,
        "none": [0.0] * 4,
        "of all sizes": [most, least, -most, 0.0, low, -low, -most, most, 1.0, -1.0] * 3,
        "with pauses": [1e-3, 0.0, 1e-3] * 30,
        "always the same": [1.0] * 120,
        "whose squares are the largest": [most**0.5, -(most**0.5), most**0.4, 0.0] * 5,
    }


OPTIONS = {
    "as it is": {},
    "eps 0": {"eps": 0.0},
    "states in the parameter's dtype": {"state_dtype": "param"},
    "nothing kept": {"betas": 0.0, "alpha": 0.0, "rho": 0.0},
    "an average and coupled decay": {"ema": 0.5, "weight_decay": 0.5, "decoupled_weight_decay": False},
}


def with_options(case, options):
    """The options that the class has."""
    known = case.group()
    found = {key: value for key, value in options.items() if key in known}
    if case.name == "AdEMAMix":
        found.pop("alpha", None)  # which is no weight there
        found.pop("betas", None)  # the third can't be 0
    elif "betas" in found:
        first = known["betas"][0] if case.name.startswith("ScheduleFree") else 0.0  # which can't be 0 there
        found["betas"] = (first, *[0.0] * (len(known["betas"]) - 1))
    return found


each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_option = pytest.mark.parametrize("options", OPTIONS)
each_case = pytest.mark.parametrize("case", ALL_CASES, ids=str)


@pytest.mark.grid
@each_dtype
@each_option
@each_case
def test_no_finite_gradients_make_a_nan(case, options, dtype):
    for name, gradients in patterns(dtype).items():
        p = np.full(40, 0.5, DTYPES[dtype])  # more than a register, and a part of one
        optimizer = case.over([p], **with_options(case, OPTIONS[options]))
        for t, gradient in enumerate(gradients):
            optimizer.step([np.full(40, gradient, DTYPES[dtype])])
            if np.isinf(p.astype(float)).any():
                break  # the parameter itself is beyond its dtype: no promise from here on
            for what, array in {"p": p, **optimizer.state[0]}.items():
                assert not np.isnan(np.asarray(array).astype(float)).any(), (name, t, what)


@pytest.mark.grid
@pytest.mark.parametrize("size", [1e160, 1e200, 1e300])
@pytest.mark.parametrize("of", ["parameters", "gradients", "both"])
@each_case
def test_nor_do_norms_beyond_float64(case, of, size):
    p = np.full(40, 1.0 if of == "gradients" else size)
    optimizer = case.over([p])
    for gradient in (1.0, -1.0, 0.5):
        optimizer.step([np.full(40, gradient * (1.0 if of == "parameters" else size))])
        if np.isinf(p).any():
            break  # the parameter itself is beyond its dtype: no promise from here on
        for what, array in {"p": p, **optimizer.state[0]}.items():
            assert not np.isnan(array).any(), what


@each_case
def test_nor_on_a_device(case):
    device = device_named("emulated")
    for gradients in patterns("f32").values():
        p = np.full(40, 0.5, np.float32)
        q = to_torch(p.copy())
        ours, theirs = case.over([p]), case.over_tensors([q])
        for gradient in gradients[:10]:
            g = np.full(40, gradient, np.float32)
            ours.step([g])
            q.grad = to_torch(g)
            with device.stepping():
                theirs.step()
            if case.scope == "element":
                assert_same_bits(to_numpy(q), p)
            assert np.isnan(to_numpy(q)).any() == np.isnan(p).any()


def test_a_mean_of_gradients_from_both_ends_of_the_range():
    # b - a overflows where lerp(a, b) does not: m = -M + 0.1 * 2 M
    most = np.finfo(np.float32).max
    optimizer = gradstep.Adam([np.zeros(1, np.float32)], betas=(0.9, 0.999))
    m = 0.0
    for gradient in (most, -most, most, most, -most):
        optimizer.step([np.array([gradient])])
        m = 0.9 * m + 0.1 * float(gradient)
        # a rounding of each of three operations, and of the gradients' own size where two nearly cancel
        np.testing.assert_allclose(optimizer.state[0]["exp_avg"], m, rtol=0, atol=float(most) * 2e-7)


def test_a_divisor_of_nothing_moves_nothing():
    for name in ("Adam", "Adagrad", "RMSprop", "Adadelta", "Adamax", "NAdam", "AdamAtan2", "ADOPT", "Adan", "LaProp"):
        p = np.ones(3, np.float32)
        options = {} if name == "AdamAtan2" else {"eps": 0.0}
        getattr(gradstep, name)([p], **options).step([np.zeros(3, np.float32)])
        np.testing.assert_array_equal(p, 1)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "NAdam", "Adadelta"])
def test_an_eps_of_0_gives_torchs_finite_numbers(name):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    gradients = [10.0**e for e in range(-18, 19, 3)]

    def run(library):
        p = torch.ones(len(gradients))
        optimizer = getattr(library, name)([p], lr=0.25, eps=0.0)
        for sign in (1, 1, -1):
            p.grad = sign * torch.tensor(gradients)
            optimizer.step()
        return p

    found, expected = run(optim), run(torch.optim)
    assert expected.isfinite().all()
    torch.testing.assert_close(found, expected, rtol=3e-6, atol=3e-6)  # three updates, each of some roundings


def centered(gradients, lr, alpha, eps, p):
    """RMSprop's equations in float64."""
    v = mean = 0.0
    for g in gradients:
        v, mean = alpha * v + (1 - alpha) * g * g, alpha * mean + (1 - alpha) * g
        p -= lr * g / (max(v - mean * mean, 0.0) ** 0.5 + eps)
        yield p


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32"])
def test_a_centered_variance_that_rounding_makes_negative(dtype):
    gradients = [1e-3, 0.0, 1e-3]
    p = np.ones(1, DTYPES[dtype])
    optimizer = gradstep.RMSprop([p], lr=1e-2, eps=1e-3, centered=True, state_dtype="param")
    for gradient, expected in zip(gradients, centered(gradients, 1e-2, 0.99, 1e-3, 1.0), strict=True):
        optimizer.step([np.array([gradient], DTYPES[dtype])])
        # an ulp of the parameter for each step, and what a v that is rounded to 0 in float16 takes off the divisor
        tolerance = 3 * float(ml_dtypes.finfo(DTYPES[dtype]).eps) + 1e-3
        np.testing.assert_allclose(p.astype(float), expected, rtol=tolerance)


def test_a_centered_variance_below_its_rounding_is_taken_as_that():
    # Equal gradients have no variance; the step stays that of half an ulp of v, and not of the eps.
    p = np.zeros(4096, np.float32)
    g = np.linspace(0.5, 1.5, 4096, dtype=np.float32)
    optimizer = gradstep.RMSprop([p], lr=1.0, alpha=0.5, eps=1e-8, centered=True)
    for _ in range(60):
        optimizer.step([g])
    state = optimizer.state[0]
    v, mean = state["square_avg"].astype(float), state["grad_avg"].astype(float)
    negative = v - mean**2 < 0
    assert negative.sum() > 100
    before = p.astype(float)
    optimizer.step([g])
    v, mean = state["square_avg"].astype(float), state["grad_avg"].astype(float)
    negative &= v - mean**2 < 0
    expected = g / (np.sqrt(v * 2.0**-24) + 1e-8)
    ulp = np.spacing(np.abs(p)).astype(float)
    assert (np.abs(before - p - expected) <= 1e-6 * expected + ulp)[negative].all()
