"""accumulate: an update with the mean of micro-batches, over arrays; torch is in test_torch_accumulation.py."""

import pickle

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal
from support.cases import ONE_EACH

N = 3
SIZES = (1, 33, 4097)


def arrays(dtype="f32"):
    return [normal(i, n, dtype) for i, n in enumerate(SIZES)]


def micro_batch(t, dtype="f32"):
    return [normal(100 * t + i, n, dtype) for i, n in enumerate(SIZES)]


def mean(batches, kind=np.float32):
    """The gradients' sums in order times 1/n, in float32; None for a parameter without any."""
    means = []
    for each in zip(*batches, strict=True):
        given = [g.astype(kind) for g in each if g is not None]
        total = np.zeros_like(given[0]) if given else None
        for gradient in given:
            total += gradient
        means.append(None if total is None else total * kind(1 / len(batches)))
    return means


def assert_all_same(found, expected):
    for p, q in zip(found, expected, strict=True):
        assert_same_bits(p, q)


@pytest.mark.parametrize(("dtype", "of_gradients"), [("f32", "f32"), ("f32", "bf16"), ("bf16", "bf16"), ("f64", "f64")])
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_the_update_is_that_of_the_mean(case, dtype, of_gradients):
    p, q = arrays(dtype), arrays(dtype)
    accumulating, plain = case.over(p, accumulate=N), case.over(q)
    kind = np.float64 if dtype == "f64" else np.float32
    for update in range(2):
        batches = [micro_batch(N * update + i, of_gradients) for i in range(N)]
        for i, batch in enumerate(batches):
            assert accumulating.accumulated == i
            assert_all_same(p, q)
            accumulating.step(batch)
        plain.step(mean(batches, kind))
    assert_all_same(p, q)
    for mine, theirs in zip(accumulating.state, plain.state, strict=True):
        assert set(mine) == set(theirs)
        for name, value in theirs.items():
            assert_same_bits(mine[name], value)


def test_the_sum_keeps_what_sixteen_bits_would_lose():
    p = np.zeros(1, DTYPES["bf16"])
    optimizer = gradstep.SGD([p], lr=1.0, accumulate=4)
    for gradient in (1.0, 2**-9, 2**-9, 2**-8):  # in bfloat16 1 + 2^-9 is 1
        optimizer.step([np.full(1, gradient, DTYPES["bf16"])])
        if optimizer.accumulated:
            (held,) = optimizer.state[0]["gradient_sum"]
    assert held == 1 + 2**-8
    assert p.astype(float) == -(1 + 2**-7) / 4


def test_gradients_are_only_read_and_sums_go_with_the_update():
    p, g = np.zeros(3), np.ones(3)
    g.flags.writeable = False
    optimizer = gradstep.SGD([p], lr=1.0, accumulate=2)
    optimizer.step([g])
    np.testing.assert_array_equal(optimizer.state[0]["gradient_sum"], 1)
    optimizer.step([g])
    assert "gradient_sum" not in optimizer.state[0]
    np.testing.assert_array_equal(p, -1)


def test_gradients_are_zeroed_where_that_is_asked_for():
    p = np.zeros(3)
    optimizer = gradstep.SGD([p], lr=1.0, accumulate=2, zero_grad=True)
    for gradient in (1.0, 3.0):
        g = np.full(3, gradient)
        optimizer.step([g])
        np.testing.assert_array_equal(g, 0)
    np.testing.assert_array_equal(p, -2)


def test_parameters_without_a_gradient_in_some_micro_batches():
    p, q = arrays(), arrays()
    options = {"lr": 0.1, "weight_decay": 0.5}
    accumulating, plain = gradstep.Adam(p, **options, accumulate=N), gradstep.Adam(q, **options)
    never = [None, *micro_batch(0)[1:]], [None, None, micro_batch(1)[2]], [None, micro_batch(2)[1], None]
    late = [None] * 3, [None] * 3, micro_batch(3)
    for batches in (never, late):
        for batch in batches:
            accumulating.step(batch)
        plain.step(mean(batches))
    assert_all_same(p, q)
    assert [float(state["step"]) for state in accumulating.state] == [1, 2, 2]


def test_only_updates_count():
    lr = gradstep.Linear(1.0, 0.0, 4)
    p = np.zeros(1)
    optimizer = gradstep.SGD([p], lr=lr, accumulate=N, ema=0.5)
    for t in range(2 * N):
        assert optimizer.param_groups[0]["updates"] == t // N
        optimizer.step([np.ones(1)])
    assert p == -(1.0 + 0.75)
    assert optimizer.averages.arrays()[0] == (-1.0 * 0.5 - 1.75) / 2


def test_scale_norm_and_statistics_are_of_the_mean():
    p, q = arrays(), arrays()
    options = {"lr": 0.1, "clip_norm": 0.7, "stats": True}
    accumulating, plain = gradstep.SGD(p, **options, accumulate=4), gradstep.SGD(q, **options)
    batches = [micro_batch(t) for t in range(4)]
    for batch in batches:
        accumulating.step(batch, grad_scale=8.0)
    plain.step([each / 8 for each in mean(batches)])  # powers of two, so that the scale is exact anywhere
    assert_all_same(p, q)
    assert accumulating.stats() == plain.stats()
    assert accumulating.stats().gradient_norm > 0.7 / 8


def bad(t):
    gradients = micro_batch(t)
    gradients[1][5] = np.inf
    return gradients


@pytest.mark.parametrize("place", range(N))
@pytest.mark.parametrize("option", ["skip_nonfinite", "found_inf"])
def test_a_bad_micro_batch_drops_those_before_it(option, place):
    p, q = arrays(), arrays()
    options = {"lr": gradstep.Linear(0.1, 0.0, 5), "weight_decay": 0.5}
    accumulating = gradstep.Adam(p, **options, accumulate=N, skip_nonfinite=option == "skip_nonfinite")
    plain = gradstep.Adam(q, **options)
    found = {"found_inf": 1.0} if option == "found_inf" else {}
    for t in range(place):
        accumulating.step(micro_batch(50 + t))
    accumulating.step(bad(60), **found)
    assert (accumulating.accumulated, accumulating.stats().skipped) == (0, True)
    batches = [micro_batch(t) for t in range(N)]
    for batch in batches:
        accumulating.step(batch)
    plain.step(mean(batches))
    assert_all_same(p, q)
    assert [float(state["step"]) for state in accumulating.state] == [1] * 3


def test_a_sum_that_overflows_is_skipped():
    p = np.zeros(2, np.float32)
    optimizer = gradstep.SGD([p], lr=1.0, accumulate=2, skip_nonfinite=True)
    for _ in range(2):
        optimizer.step([np.full(2, 3e38, np.float32)])
    assert (optimizer.accumulated, optimizer.stats().skipped) == (0, True)
    for _ in range(2):
        optimizer.step([np.full(2, 1.0, np.float32)])
    np.testing.assert_array_equal(p, -1)


@pytest.mark.parametrize("way", ["state_dict", "pickle"])
@pytest.mark.parametrize("at", range(2 * N))
def test_a_run_saved_in_the_midst_goes_on_to_the_bit(at, way):
    options = {"lr": gradstep.Linear(0.1, 0.01, 9), "accumulate": N}
    p = arrays()
    first = gradstep.Adam([{"params": p[:1]}, {"params": p[1:]}], **options)
    for t in range(at):
        first.step(micro_batch(t, "bf16"))
    q = [each.copy() for each in p]
    if way == "pickle":
        second, q = pickle.loads(pickle.dumps((first, p)))
    else:
        second = gradstep.Adam([{"params": q[:1]}, {"params": q[1:]}], **options)
        second.load_state_dict(first.state_dict())
    assert second.accumulated == at % N
    for t in range(at, 3 * N):
        for optimizer in (first, second):
            optimizer.step(micro_batch(t, "bf16"))
    assert_all_same(q, p)


@pytest.mark.parametrize("threads", [1, 3])
def test_other_layouts_and_threads(threads):
    gradstep.set_num_threads(threads)
    p = np.asfortranarray(normal(0, 300_000).reshape(500, 600))[::2]
    q = p.copy()
    optimizer = gradstep.SGD([p], lr=0.5, accumulate=2)
    g = [normal(t, 150_000).reshape(600, 250).T for t in range(2)]
    for each in g:
        optimizer.step([each])
    assert_same_bits(p, q - np.float32(0.25) * (g[0] + g[1]))  # a product with a power of two is exact, as in an fma


def test_the_number_may_change_between_updates():
    p = np.zeros(1)
    optimizer = gradstep.SGD([p], lr=1.0, accumulate=3)
    optimizer.step([np.full(1, 2.0)])
    optimizer.param_groups[0]["accumulate"] = 2
    optimizer.step([np.full(1, 4.0)])
    assert p == -3
    optimizer.step([np.full(1, 2.0)])
    optimizer.param_groups[0]["accumulate"] = 1
    optimizer.step([np.full(1, 4.0)])
    optimizer.step([np.full(1, 5.0)])
    assert p == -3 - 3 - 5


def test_refusals():
    p = np.ones(2)
    for wrong in (0, True, 1.5, "two"):
        with pytest.raises(
            ValueError, match=r"Invalid accumulate: .*: it counts micro-batches and must be a whole number"
        ):
            gradstep.SGD([p], lr=0.1, accumulate=wrong)
    groups = [{"params": [p]}, {"params": [np.ones(1)], "accumulate": 3}]
    with pytest.raises(ValueError, match=r"accumulate is of the whole optimizer, but its groups have \[2, 3\]: give"):
        gradstep.SGD(groups, lr=0.1, accumulate=2)
    with pytest.raises(
        ValueError, match="sgd_ keeps no sum of gradients: give it the sum, and their number as grad_scale"
    ):
        gradstep.functional.sgd_(p, np.ones(2), step=1, lr=0.1, accumulate=2)
    np.testing.assert_array_equal(p, 1)


def test_a_gradient_that_does_not_fit_is_refused_before_anything_is_added():
    p = [np.ones(2), np.ones(3)]
    optimizer = gradstep.SGD(p, lr=0.1, accumulate=2)
    optimizer.step([np.ones(2), np.ones(3)])
    with pytest.raises(ValueError, match=r"the gradient of parameter 1 has shape \(4,\), but the parameter has shape"):
        optimizer.step([np.ones(2), np.ones(4)])
    np.testing.assert_array_equal(optimizer.state[0]["gradient_sum"], 1)
    assert optimizer.accumulated == 1


def test_another_scale_drops_what_was_added():
    p = np.zeros(2)
    optimizer = gradstep.SGD([p], lr=1.0, accumulate=2)
    optimizer.step([np.ones(2)], grad_scale=4.0)
    with pytest.warns(
        UserWarning, match=r"grad_scale changed from 4\.0 to 2\.0 between the micro-batches of one update"
    ):
        optimizer.step([np.ones(2)], grad_scale=2.0)
    assert (optimizer.accumulated, optimizer.stats().skipped) == (0, True)
    for _ in range(2):
        optimizer.step([np.ones(2)], grad_scale=2.0)
    np.testing.assert_array_equal(p, -0.5)


def test_a_micro_batch_at_the_averages_is_refused():
    optimizer = gradstep.SGD([np.ones(2)], lr=0.1, accumulate=2, ema=0.5)
    with optimizer.averages.swapped_in(), pytest.raises(RuntimeError, match="the parameters are their averages now"):
        optimizer.step([np.ones(2)])
    free = gradstep.ScheduleFreeSGD([np.ones(2)], lr=0.1, accumulate=2)
    free.eval()
    with pytest.raises(RuntimeError, match="the parameters hold their average, for evaluation"):
        free.step([np.ones(2)])


def test_a_list_of_parameters_that_was_changed_in_place_is_refused():
    w = np.zeros(2)
    optimizer = gradstep.SGD([w], lr=1.0, accumulate=2)
    optimizer.param_groups[0]["params"].append(np.zeros(3))
    with pytest.raises(
        ValueError, match=r"got 1 gradients, but the groups hold 2 parameters: a group's list .* in place"
    ):
        optimizer.step([np.ones(2)])
    optimizer.param_groups[0]["params"].pop()
    optimizer.step([np.ones(2)])
    assert optimizer.accumulated == 1
