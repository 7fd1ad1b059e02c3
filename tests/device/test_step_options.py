"""The options of a step have the same effect on a device as on the CPU."""

import numpy as np
import pytest

import gradstep
from support.cases import OPTIONS, Case
from support.twins import Twins, normals

SIZES = (0, 1, 33, 4097)
STEPS = 4
CASES = [
    Case("SGD", {"lr": 0.2, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.05}),
    Case("AdamW", {"lr": 0.03, "betas": (0.4, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    Case("LAMB", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    Case("Prodigy", {"lr": 0.7, "betas": (0.8, 0.95), "weight_decay": 0.3, "d0": 0.02}),
    Case("ScheduleFreeAdamW", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
]
AROUND = [
    *OPTIONS,
    {"decoupled_weight_decay": "full", "peak_lr": 0.4},
    {"decoupled_weight_decay": "corrected", "peak_lr": 0.4, "cautious": True},
    {"clip_norm": 0.7},
    {"clip_norm": 0.7, "clip_lagged": True},
    {"clip_norm": 0.7, "clip_scope": "group", "clip_value": 0.01},
    {"clip_value": 0.01},
    {"clip_value": gradstep.Linear(0.5, 0.01, 3), "clip_norm": gradstep.Linear(9.0, 0.5, 3)},
    {"ema": 0.9},
    {"ema": gradstep.Linear(0.5, 0.9, 3), "ema_bias_correction": True},
    {"cast_to": "bf16"},
    {"cast_to": "f16", "ema": 0.5, "clip_norm": 0.7, "zero_grad": True},
    {"zero_grad": True},
    {"stats": True},
    {"stats": True, "clip_norm": 0.7},
    {"lr": gradstep.CosineDecay(0.2, 5).warmup(2), "weight_decay": gradstep.Linear(0.3, 0.0, 4)},
]

#: Schedule-Free's rules have no direction for a cautious decay
ASKED = [(c, o) for c in CASES for o in AROUND if not (o.get("cautious") and c.name.startswith("ScheduleFree"))]

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_dtype = pytest.mark.parametrize("dtype", ["f32", "f64", "bf16"])


def two_groups(case, options):
    """An optimizer of two groups that differ in their decay."""

    def make(tensors):
        groups = [{"params": tensors[:2]}, {"params": tensors[2:], "weight_decay": 0.1}]
        return case.over_tensors(groups, **options)

    return make


def in_words(options):
    if isinstance(options, Case):
        return options.name
    return "-".join(f"{name}={value}" for name, value in options.items() if value is not False) or "as-is"


@pytest.mark.grid
@pytest.mark.parametrize(("case", "options"), ASKED, ids=in_words)
@each_dtype
def test_every_option(device, case, dtype, options):
    twins = Twins(device, two_groups(case, options), normals(0, SIZES, dtype))
    for t in range(1, STEPS + 1):
        twins.take(normals(t, SIZES, dtype))
        twins.step()
        twins.assert_same()
        if options.get("stats"):
            assert twins.found.stats() == twins.expected.stats()


@each_dtype
@each_case
def test_a_scale_and_infinities_found_as_a_scaler_hands_them(device, case, dtype):
    twins = Twins(device, two_groups(case, {"clip_norm": 0.7}), normals(0, SIZES, dtype))
    for t, found_inf in enumerate((0.0, 1.0, 0.0, 0.0), start=1):
        twins.set("grad_scale", 1024.0 / t)
        twins.set("found_inf", found_inf)
        twins.take(normals(t, SIZES, dtype))
        twins.step()
        twins.assert_same()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@each_case
def test_a_step_that_is_skipped_never_happened(device, case, bad):
    schedule = gradstep.Linear(0.1, 0.0, 10)
    options = {"lr": schedule, "skip_nonfinite": True, "ema": 0.9, "zero_grad": True, "stats": True}
    twins = Twins(device, case_with(case, options), normals(0, SIZES))
    for t in range(1, STEPS + 1):
        gradients = normals(t, SIZES)
        if t in (1, 3):
            gradients[3][1234] = bad
        twins.take(gradients)
        twins.step()
        assert twins.found.stats().skipped == twins.expected.stats().skipped == (t in (1, 3))
        if t > 1:  # of a first step that is skipped, the device has made the states, and the CPU has not
            twins.assert_same()
    assert twins.updates() == (2, 2)


@each_dtype
@each_case
def test_micro_batches(device, case, dtype):
    twins = Twins(device, two_groups(case, {"accumulate": 2, "clip_norm": 0.7}), normals(0, SIZES, dtype))
    for t in range(1, 2 * STEPS + 1):
        twins.add(normals(t, SIZES, dtype))
        twins.step()
        assert twins.found.accumulated == twins.expected.accumulated == t % 2
        twins.assert_same()


def case_with(case, options):
    return lambda tensors: case.over_tensors(tensors, **options)


def test_stats_of_steps_that_measure_nothing(device):
    twins = Twins(device, two_groups(CASES[1], {"stats": True}), normals(0, SIZES))
    for t, found_inf in ((1, 0.0), (2, 1.0), (3, 0.0), (4, None)):
        twins.take([None] * len(SIZES) if found_inf is None else normals(t, SIZES))
        twins.set("found_inf", found_inf)
        twins.set("grad_scale", None if found_inf is None else 2.0)
        twins.step()
        np.testing.assert_array_equal(twins.found.stats(), twins.expected.stats())  # NaN is NaN here
        assert twins.found.stats().skipped == (t == 2)


def test_clipping_by_the_norm_of_an_update_without_gradients(device):
    twins = Twins(device, two_groups(CASES[1], {"clip_norm": 0.7, "clip_lagged": True}), normals(0, SIZES))
    for t in (1, 2, 3, 4, 5):
        twins.take([None] * len(SIZES) if t == 3 else normals(t, SIZES))
        twins.step()
        twins.assert_same()


def test_a_tensor_that_changes_its_group(device):
    twins = Twins(device, two_groups(CASES[1], {}), normals(0, SIZES))
    for t in (1, 2, 3):
        if t == 2:
            for optimizer in (twins.expected, twins.found):
                first, second = optimizer.param_groups
                second["params"].insert(0, first["params"].pop())
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()
