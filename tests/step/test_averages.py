"""ema: an average of each parameter, kept in the step."""

import io

import mpmath
import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal
from support.cases import ONE_EACH
from support.tolerances import SINGLE, TENS_OF_ULP

SIZE = 40
STEPS = 5
PRECISION = {"f32": 24, "f64": 53}


def averaged(average, p, weight, dtype):
    """average + weight * (p - average), the difference rounded and then the sum once, as with fma."""
    kind = DTYPES[dtype].type
    found = []
    for a, d in zip(average, p - average, strict=True):
        with mpmath.workprec(200):
            exact = mpmath.mpf(float(kind(weight))) * mpmath.mpf(float(d)) + mpmath.mpf(float(a))
        with mpmath.workprec(PRECISION[dtype]):
            found.append(float(+exact))
    return np.array(found, kind)


@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_the_average_follows_the_parameter(case, dtype):
    p, q = normal(0, SIZE, dtype), normal(0, SIZE, dtype)
    one, other = case.over([p], ema=0.9), case.over([q])
    expected = p.copy()
    for t in range(STEPS):
        for each in (one, other):
            each.step([normal(t + 1, SIZE, dtype)])
        expected = averaged(expected, q, 1 - 0.9, dtype)
    assert_same_bits(p, q)
    assert_same_bits(one.averages.arrays()[0], expected)


def test_bias_correction_is_that_of_an_average_from_zero():
    p = normal(0, SIZE, "f64")
    decay = gradstep.Linear(0.5, 0.9, 4)
    optimizer = gradstep.SGD([p], lr=0.1, ema=decay, ema_bias_correction=True)
    from_zero, product = np.zeros(SIZE), 1.0
    for t in range(STEPS):
        optimizer.step([normal(t + 1, SIZE, "f64")])
        from_zero = decay(t) * from_zero + (1 - decay(t)) * p
        product *= decay(t)
        # a few roundings of numbers of size one, in another order
        np.testing.assert_allclose(optimizer.averages.arrays()[0], from_zero / (1 - product), rtol=0, atol=TENS_OF_ULP)


def test_a_decay_of_one_keeps_the_average():
    p = np.ones(3)
    optimizer = gradstep.SGD([p], lr=0.1, ema=1.0)
    optimizer.step([np.ones(3)])
    np.testing.assert_array_equal(optimizer.averages.arrays()[0], 1)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_sixteen_bit_parameters_have_float32_averages(dtype):
    p = normal(0, SIZE, dtype)
    optimizer = gradstep.SGD([p], lr=0.1, ema=0.5)
    before = p.astype(np.float32)
    optimizer.step([normal(1, SIZE)])
    average = optimizer.averages.arrays()[0]
    assert average.dtype == np.float32
    after = before - np.float32(0.1) * normal(1, SIZE)  # before it is rounded to 16 bits
    np.testing.assert_allclose(average, (before + after) / 2, rtol=0, atol=SINGLE)


def test_swapping_in_and_out():
    p = normal(0, SIZE)
    optimizer = gradstep.SGD([p], lr=0.1, ema=0.5)
    optimizer.step([normal(1, SIZE)])
    trained, average = p.copy(), optimizer.averages.arrays()[0].copy()
    with optimizer.averages.swapped_in():
        assert_same_bits(p, average)
        with pytest.raises(RuntimeError, match="the parameters are their averages now, which a step must not change"):
            optimizer.step([normal(2, SIZE)])
    assert_same_bits(p, trained)
    assert_same_bits(optimizer.averages.arrays()[0], average)
    optimizer.step([normal(2, SIZE)])


def test_an_error_while_they_are_in():
    p = normal(0, SIZE)
    optimizer = gradstep.SGD([p], lr=0.1, ema=0.5)
    optimizer.step([normal(1, SIZE)])
    trained = p.copy()
    swapped = optimizer.averages.swapped_in()
    swapped.__enter__()
    swapped.__exit__(KeyError, KeyError(), None)
    assert_same_bits(p, trained)


def test_a_parameter_without_updates_has_none():
    optimizer = gradstep.SGD([np.ones(2), np.ones(3)], lr=0.1, ema=0.5)
    optimizer.step([None, np.ones(3)])
    assert optimizer.averages.arrays()[0] is None
    assert list(optimizer.averages.state_dict()) == [1]
    with optimizer.averages.swapped_in():
        pass


def test_its_own_state_dict():
    def made(steps):
        optimizer = gradstep.SGD([normal(0, SIZE), normal(1, 3)], lr=0.1, ema=0.5)
        for t in range(steps):
            optimizer.step([normal(t, SIZE), normal(t, 3)])
        return optimizer

    saved = made(3).averages.state_dict()
    other = made(1)
    other.averages.load_state_dict(saved)
    for mine, theirs in zip(other.averages.arrays(), saved.values(), strict=True):
        assert_same_bits(mine, theirs)
    with pytest.raises(ValueError, match=r"the saved averages have shapes \{0: \(2,\)\}, the optimizer's"):
        other.averages.load_state_dict({0: np.zeros(2)})


@pytest.mark.parametrize("corrected", [False, True])
def test_resume_in_torch(corrected):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    def step(optimizer, p, t):
        p.grad = torch.from_numpy(normal(t, SIZE))
        optimizer.step()

    options = {"lr": 0.1, "ema": 0.9, "ema_bias_correction": corrected, "cast_to": "bf16"}
    p = torch.nn.Parameter(torch.from_numpy(normal(0, SIZE)))
    first = optim.AdamW([p], **options)
    for t in range(3):
        step(first, p, t)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    q = torch.nn.Parameter(p.detach().clone())
    second = optim.AdamW([q], **options)
    second.load_state_dict(torch.load(file, weights_only=True))
    for t in range(3, 6):
        step(first, p, t)
        step(second, q, t)
    for name, value in first.state[p].items():
        assert torch.equal(second.state[q][name], value), name
    assert torch.equal(first.state[p]["cast"], p.detach().to(torch.bfloat16))


def test_in_functional():
    p, average = np.ones(3), np.zeros(3)
    gradstep.functional.sgd_(p, np.ones(3), step=1, lr=0.5, ema=0.75, average=average)
    np.testing.assert_array_equal(average, 0.125)
    with pytest.raises(TypeError, match="sgd_ takes ema and average, the array to update, together"):
        gradstep.functional.sgd_(p, np.ones(3), step=1, lr=0.5, ema=0.75)
    with pytest.raises(ValueError, match="sgd_ keeps nothing, so it can't correct an average"):
        gradstep.functional.sgd_(p, np.ones(3), step=1, lr=0.5, ema=0.75, average=average, ema_bias_correction=True)


def test_refusals():
    with pytest.raises(ValueError, match=r"Invalid ema value: 1.5: ema must be a number in \[0, 1\]"):
        gradstep.SGD([np.ones(2)], lr=0.1, ema=1.5)
    with pytest.raises(RuntimeError, match=r"this optimizer keeps no averages: make it with ema=0.999, for example"):
        _ = gradstep.SGD([np.ones(2)], lr=0.1).averages
