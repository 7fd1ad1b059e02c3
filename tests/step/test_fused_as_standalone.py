"""A fused step gives the bits of the standalone functions, one after the other: unscale, clip by norm, clip by value,
the bare update, average, cast and zero."""

import numpy as np
import pytest

import gradstep
from gradstep.functional import average_, cast_, clip_norm_, clip_value_, norm, unscale_, zero_
from support.arrays import assert_same_bits, normal, state_arrays, to_numpy, to_torch
from support.cases import CASES

GROUPS = [[1, 33, 0], [4095, 4097, 31], [20_001]]  # the sizes of their tensors
SCALE = 3.0
CLIP_NORM, CLIP_VALUE, EMA = [0.7, 0.3, 0.8], [0.01, 0.02, 0.005], [0.9, 0.3, 0.999]  # of each group
STEPS, INFINITE = 4, 1  # the step whose gradients are not all finite
OF_THE_RULE = {"maximize": True, "decoupled_weight_decay": "corrected", "peak_lr": 0.9}
FUSED = {"skip_nonfinite": True, "cast_to": "f16", "zero_grad": True, "stats": True}
#: optimizers without a direction for each element, which "cautious" needs
UNDIRECTED = {"ASGD", "ScheduleFreeSGD", "ScheduleFreeAdamW", "Adan"}

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", ["f32", "f64"])
each_scope = pytest.mark.parametrize("scope", ["all", "group"])
each_correction = pytest.mark.parametrize("corrected", [False, True], ids=["plain", "corrected"])


def arrays(seed, dtype):
    """An array for each tensor, group by group."""
    return [[normal(1000 * seed + 100 * i + n, n, dtype) for n in sizes] for i, sizes in enumerate(GROUPS)]


def gradients(t, dtype):
    made = arrays(t + 1, dtype)
    if t == INFINITE:
        made[1][0][7] = np.inf
    return made


def flat(groups):
    return [each for group in groups for each in group]


def assert_all_same(found, expected):
    for a, b in zip(flat(found), flat(expected), strict=True):
        assert_same_bits(a, b)


class Standalone:
    """A bare optimizer with the standalone functions around its step."""

    def __init__(self, case, parameters, scope, corrected, **options):
        self.parameters, self.scope = parameters, scope
        self.optimizer = case.over([{"params": group} for group in parameters], **options)
        self.averages = [[p.copy() for p in group] for group in parameters]
        self.products = [np.ones(()) if corrected else None for _ in parameters]
        self.copies = [[p.astype(np.float16) for p in group] for group in parameters]

    def step(self, gradients):
        """Make one step; return the gradients' norm, or None if the step was skipped."""
        found = unscale_(flat(gradients), SCALE)
        total = None if found else self._update(gradients)
        zero_(flat(gradients))
        return total

    def _update(self, gradients):
        total = norm(flat(gradients))
        for i, group in enumerate(gradients):
            clip_norm_(group, CLIP_NORM[i], total if self.scope == "all" else None)
            clip_value_(group, CLIP_VALUE[i])
        self.optimizer.step(flat(gradients))
        for i, group in enumerate(self.parameters):
            average_(self.averages[i], group, EMA[i], self.products[i])
        cast_(flat(self.copies), flat(self.parameters))
        return total


@pytest.mark.grid
@each_correction
@each_scope
@each_dtype
@each_case
def test_a_fused_step_is_its_standalone_functions(case, dtype, scope, corrected):
    options = OF_THE_RULE | {"cautious": case.name not in UNDIRECTED}
    fused_parameters, parameters = arrays(0, dtype), arrays(0, dtype)
    groups = [
        {"params": group, "clip_norm": CLIP_NORM[i], "clip_value": CLIP_VALUE[i], "ema": EMA[i]}
        for i, group in enumerate(fused_parameters)
    ]
    fused = case.over(groups, **options, **FUSED, clip_scope=scope, ema_bias_correction=corrected)
    standalone = Standalone(case, parameters, scope, corrected, **options)
    for t in range(STEPS):
        mine, theirs = gradients(t, dtype), gradients(t, dtype)
        fused.step(flat(mine), grad_scale=SCALE)
        total = standalone.step(theirs)
        assert fused.stats().skipped == (total is None) == (t == INFINITE)
        if total is not None:
            assert fused.stats().gradient_norm == total > max(CLIP_NORM)
        assert_all_same(mine, theirs)
        assert_all_same(fused_parameters, parameters)
    assert_same_states(fused, standalone)


def assert_same_states(fused, standalone):
    arrays = zip(flat(standalone.averages), flat(standalone.copies), strict=True)
    for mine, theirs, (average, copy) in zip(fused.state, standalone.optimizer.state, arrays, strict=True):
        assert_same_bits(mine["ema"], average)
        assert_same_bits(mine["cast"], copy)
        for name, values in theirs.items():
            assert_same_bits(mine[name], values)
    first = 0
    for group, product in zip(standalone.parameters, standalone.products, strict=True):
        if product is not None:
            assert fused.state[first]["ema_product"] == product < 1
        first += len(group)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in ("AdamW", "LAMB")], ids=str)
def test_over_tensors(case):
    torch = pytest.importorskip("torch")
    options = OF_THE_RULE | {"cautious": True}
    fused_parameters = [torch.nn.Parameter(to_torch(p)) for p in flat(arrays(0, "f32"))]
    parameters = [torch.nn.Parameter(to_torch(p)) for p in flat(arrays(0, "f32"))]
    of_a_group = {"clip_norm": CLIP_NORM[0], "clip_value": CLIP_VALUE[0], "ema": EMA[0]}
    fused = case.over_tensors(fused_parameters, **options, **FUSED, **of_a_group)
    bare = case.over_tensors(parameters, **options)
    averages = [p.detach().clone() for p in parameters]
    copies = [p.detach().half() for p in parameters]
    for t in range(STEPS):
        for each in (fused_parameters, parameters):
            for p, g in zip(each, flat(gradients(t, "f32")), strict=True):
                p.grad = to_torch(g)
        fused.grad_scale = torch.tensor(SCALE)
        fused.step()
        g = [p.grad for p in parameters]
        if not unscale_(g, torch.tensor(SCALE)):
            assert clip_norm_(g, CLIP_NORM[0]) == fused.stats().gradient_norm
            clip_value_(g, CLIP_VALUE[0])
            bare.step()
            average_(averages, parameters, EMA[0])
            cast_(copies, parameters)
        zero_(g)
    for p, q, average, copy in zip(fused_parameters, parameters, averages, copies, strict=True):
        assert torch.equal(p, q)
        assert torch.equal(p.grad, q.grad)
        assert torch.equal(fused.state[p]["ema"], average)
        assert torch.equal(fused.state[p]["cast"], copy)
        theirs = state_arrays(bare.state[q])
        for name, values in theirs.items():
            assert_same_bits(to_numpy(fused.state[p][name]), values)


@each_dtype
def test_the_bare_kernel_between_them(dtype):
    p, q, g = normal(0, 5000, dtype), normal(0, 5000, dtype), normal(1, 5000, dtype)
    mine = [np.zeros_like(p), np.zeros_like(p)]
    theirs = [np.zeros_like(p), np.zeros_like(p)]
    average, copy = p.copy(), p.astype(np.float16)
    own_average, own_copy = p.copy(), p.astype(np.float16)
    options = {"clip_norm": 0.7, "clip_value": 0.01, "ema": 0.9, "cast_to": "f16", "zero_grad": True}
    others = {"average": average, "copy": copy, "grad_scale": SCALE}
    gradstep.functional.adam_(p, g.copy(), *mine, step=1, lr=0.1, weight_decay=0.2, **options, **others)
    unscale_(g, SCALE)
    clip_norm_(g, 0.7)
    clip_value_(g, 0.01)
    gradstep.functional.adam_(q, g, *theirs, step=1, lr=0.1, weight_decay=0.2)
    average_(own_average, q, 0.9)
    cast_(own_copy, q)
    assert_all_same([[p, *mine, average, copy]], [[q, *theirs, own_average, own_copy]])


@each_dtype
def test_clipping_by_the_norm_of_the_step_before(dtype):
    p, q, total = normal(0, 5000, dtype), normal(0, 5000, dtype), 0.0
    fused = gradstep.SGD([p], lr=0.1, clip_norm=0.7, clip_lagged=True)
    bare = gradstep.SGD([q], lr=0.1)
    for t in range(3):
        g = normal(t + 1, 5000, dtype)
        fused.step([g])
        before, total = total, norm(g)
        assert clip_norm_(g, 0.7, before) == before
        bare.step([g])
        assert_same_bits(p, q)
