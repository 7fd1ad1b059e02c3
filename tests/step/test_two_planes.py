"""A format with a second plane besides its numbers: a scale for each group. The library has no such format yet; that of
tests/support/formats_of_tests proves that the core can hold the numbers of an 8-bit state and the scales of its groups.
"""

import re

import numpy as np
import pytest

from gradstep import _core
from support.arrays import assert_same_bits, normal
from support.compiling import ROOT
from support.devices import device_named
from support.tolerances import SINGLE

GROUP = 32
HYPER = {"momentum": 0.75, "dampening": 0.25}
LR = 0.03
SIZES = (1, 31, 32, 33, 1024, 4096 + 5, 70_001)

built = pytest.mark.skipif(
    "tests/support/formats_of_tests" not in (ROOT / "cpp/formats/list.h").read_text()
    or "row_normalised" not in _core.rules(),
    reason="built without GRADSTEP_EMULATED, with which the tests' formats go",
)
each_size = pytest.mark.parametrize("size", SIZES)


def encoded(numbers):
    """The parts in float16 and the largest of each group, as the format keeps numbers of float32."""
    padded = np.zeros(-(-numbers.size // GROUP) * GROUP, np.float32)
    padded[: numbers.size] = numbers
    groups = padded.reshape(-1, GROUP)
    scales = np.abs(groups).max(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.where(scales[:, None] == 0, np.float32(0), groups / scales[:, None]).astype(np.float16)
    return parts.ravel()[: numbers.size], scales


def decoded(parts, scales):
    return parts.astype(np.float32) * np.repeat(scales, GROUP)[: parts.size]


def fresh_state(size):
    return {
        "momentum_buffer": np.zeros(size, np.float16),
        "momentum_buffer_second": np.zeros(-(-size // GROUP), np.float32),
        "step": np.zeros((), np.float32),
    }


def settings(**options):
    made = _core.StepOptions()
    for name, value in options.items():
        setattr(made, name, value)
    hypers = [HYPER[name] for name in _core.rules()["sgd_momentum"].hypers]
    return _core.GroupSettings("sgd_momentum", hypers, LR, 0.0, made)


def names():
    return _core.StateNames(["momentum_buffer"], ["step"], formats={"momentum_buffer": "scaled"})


def step(plan, p, g, state, threads=1, fresh=True, group=None, measure=False):
    binding = _core.StateBinding(0, state, {}, names(), fresh)
    asked = _core.StepSettings(threads)
    asked.stats = measure
    unbound = plan.step([[p]], [g], [state], [group or settings()], asked, bindings=[binding] if fresh else [])
    assert not unbound


def run(plan, size, steps=4, threads=1):
    p, state = normal(1, (size,)), fresh_state(size)
    for t in range(steps):
        step(plan, p, normal(10 + t, (size,)), state, threads, fresh=t == 0)
    return p, state


def reference(size, steps=4):
    """SGD with momentum in float32, as torch and the rule write it, whose buffer goes through the format."""
    p, parts, scales = normal(1, (size,)), *encoded(np.zeros(size, np.float32))
    momentum, weight = np.float32(HYPER["momentum"]), np.float32(1 - HYPER["dampening"])
    for t in range(steps):
        g = normal(10 + t, (size,))
        m = decoded(parts, scales)
        m = g if t == 0 else (momentum.astype(np.float64) * m + (weight * g).astype(np.float64)).astype(np.float32)
        p = (np.float64(-np.float32(LR)) * m + p.astype(np.float64)).astype(np.float32)
        parts, scales = encoded(m)
    return p, parts, scales


@built
@each_size
def test_the_numbers_of_a_state(size):
    p, state = run(_core.Plan(), size)
    expected, parts, scales = reference(size)
    # The reference rounds twice where fma rounds once: half an ulp of float32 in each of four steps, and of the parts
    # now and then the next number of float16.
    np.testing.assert_allclose(p, expected, rtol=1e-5, atol=SINGLE)
    np.testing.assert_allclose(
        decoded(state["momentum_buffer"], state["momentum_buffer_second"]), decoded(parts, scales), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(state["momentum_buffer_second"], scales, rtol=1e-3)
    assert state["step"] == 4


@built
def test_the_first_step_to_the_bit():
    size = 4096 + 5
    _, state = run(_core.Plan(), size, steps=1)
    parts, scales = encoded(normal(10, (size,)))
    assert_same_bits(state["momentum_buffer"], parts)
    assert_same_bits(state["momentum_buffer_second"], scales)


@built
@pytest.mark.parametrize("threads", [2, 3])
def test_the_bits_depend_on_no_thread(threads):
    size = 16 * 4096 + 70_001
    alone, together = run(_core.Plan(), size), run(_core.Plan(), size, threads=threads)
    assert_same_bits(alone[0], together[0])
    for name, value in alone[1].items():
        assert_same_bits(value, together[1][name])


@built
@pytest.mark.parametrize("target", _core.targets())
def test_every_target_gives_the_same_bits(target):
    before = _core.active_target()
    expected = run(_core.Plan(), 4096 + 5)
    _core.select_target(target)
    try:
        found = run(_core.Plan(), 4096 + 5)
    finally:
        _core.select_target(before)
    assert_same_bits(found[0], expected[0])
    for name, value in expected[1].items():
        assert_same_bits(found[1][name], value)


@built
@each_size
def test_the_device_gives_the_same_bits(size):
    emulated = device_named("emulated")
    if missing := emulated.missing():
        pytest.skip(missing)
    from gradstep import _emulated

    expected = run(_core.Plan(), size)
    found = run(_core.DevicePlan(_emulated.engine, 0), size)
    assert_same_bits(found[0], expected[0])
    for name, value in expected[1].items():
        assert_same_bits(found[1][name], value)


@built
def test_the_sums_of_an_update_are_refused_on_a_device():
    emulated = device_named("emulated")
    if missing := emulated.missing():
        pytest.skip(missing)
    from gradstep import _emulated

    p, state = normal(1, (100,)), fresh_state(100)
    with pytest.raises(ValueError, match="a format with groups, a device forms neither the sums of an update nor"):
        step(_core.DevicePlan(_emulated.engine, 0), p, normal(2, (100,)), state, measure=True)
    assert_same_bits(p, normal(1, (100,)))


@built
def test_a_nan_stays_visible():
    size = 100
    p, state = normal(1, (size,)), fresh_state(size)
    g = normal(2, (size,))
    g[40] = np.nan
    step(_core.Plan(), p, g, state)
    lost = np.isnan(decoded(state["momentum_buffer"], state["momentum_buffer_second"]))
    assert lost[32:64].all()
    assert not lost[:32].any()
    assert not lost[64:].any()


def refused(p, g, state, words, group=None):
    before = {name: value.copy() for name, value in state.items()}, p.copy()
    with pytest.raises(ValueError, match=words):
        step(_core.Plan(), p, g, state, group=group)
    assert_same_bits(p, before[1])
    for name, value in before[0].items():
        assert_same_bits(state[name], value)


@built
def test_strided_arrays_are_refused():
    p, g = normal(1, (64, 2))[:, 0], normal(2, (64,))
    state = fresh_state(64)
    state["momentum_buffer"] = np.zeros((64, 2), np.float16)[:, 0]
    words = r"the state 'momentum_buffer' of parameter 0 is kept in the format 'scaled', whose groups need contiguous "
    refused(p, g, state, words)


@built
def test_a_second_plane_of_another_size_is_refused():
    state = fresh_state(100)
    state["momentum_buffer_second"] = np.zeros(3, np.float32)
    words = r"'momentum_buffer_second' of parameter 0 must be one contiguous run of 16 bytes, 4 for each 32 numbers"
    refused(normal(1, (100,)), normal(2, (100,)), state, words)


@built
def test_a_second_plane_that_shares_memory_is_refused():
    p, state = normal(1, (100,)), fresh_state(100)
    state["momentum_buffer_second"] = p[:4]
    refused(p, normal(2, (100,)), state, "'momentum_buffer_second' of parameter 0 shares memory with parameter 0")


@built
def test_moved_planes_are_read_again():
    size = 100
    plan, p, state = _core.Plan(), normal(1, (size,)), fresh_state(size)
    step(plan, p, normal(10, (size,)), state)
    for name in ("momentum_buffer_second", "momentum_buffer"):
        state[name] = state[name].copy()
        binding = _core.StateBinding(0, state, {}, names(), False)
        plan.step([[p]], [normal(11, (size,))], [state], [settings()], _core.StepSettings(1), bindings=[binding])
    expected = run(_core.Plan(), size, steps=1)
    twin = _core.Plan()
    for _ in range(2):
        binding = _core.StateBinding(0, expected[1], {}, names(), False)
        twin.step(
            [[expected[0]]],
            [normal(11, (size,))],
            [expected[1]],
            [settings()],
            _core.StepSettings(1),
            bindings=[binding],
        )
    assert_same_bits(p, expected[0])
    for name in state:
        assert_same_bits(state[name], expected[1][name])


def test_a_default_build_has_no_format_of_the_tests():
    text = (ROOT / "cpp/formats/list.h").read_text()
    assert re.search(r"#if defined\(GRADSTEP_TEST_FORMATS\)\n#include GRADSTEP_TEST_FORMATS\n#else\n", text)
    assert {name for name, *_ in _core.formats()} - {"scaled"} == {"f64", "f32", "f16", "bf16"}
