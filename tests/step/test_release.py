"""release: each parameter is updated in backward as soon as its gradient is computed, and the gradient is freed."""

import copy
import pickle
import weakref

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, to_numpy, to_torch
from support.cases import ALL_CASES
from support.sums import norm

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

SIZES = (5, 33, 4100)
STEPS = 3


def tensors(dtype="f32"):
    return [torch.nn.Parameter(to_torch(normal(i, n, dtype))) for i, n in enumerate(SIZES)]


def gradients(t, dtype="f32"):
    return [normal(100 * t + i, n, dtype) for i, n in enumerate(SIZES)]


def backward(params, t, dtype="f32"):
    """A backward pass whose gradients are known."""
    sum((p * to_torch(g)).sum() for p, g in zip(params, gradients(t, dtype), strict=True)).backward()


def train(params, optimizer, dtype="f32", times=range(STEPS)):
    for t in times:
        backward(params, t, dtype)
        optimizer.step()
        optimizer.zero_grad()


def assert_all_same(params, others):
    for p, q in zip(params, others, strict=True):
        assert_same_bits(to_numpy(p), to_numpy(q))


def halves(params, **options):
    return [{"params": params[:2], **options}, {"params": params[2:]}]


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("case", [case for case in ALL_CASES if case.scope != "all"], ids=str)
def test_the_bits_of_the_ordinary_step(case, dtype):
    params, others = tensors(dtype), tensors(dtype)
    options = {"lr": gradstep.Linear(0.1, 0.01, 5), "ema": 0.5, "stats": True}
    releasing = case.over_tensors(halves(params, weight_decay=0.01), release=True, **options)
    ordinary = case.over_tensors(halves(others, weight_decay=0.01), **options)
    train(params, releasing, dtype)
    train(others, ordinary, dtype)
    assert_all_same(params, others)
    assert releasing.stats() == ordinary.stats()
    assert releasing.param_groups[0]["updates"] == STEPS
    for p, q in zip(params, others, strict=True):
        assert_all_same(releasing.state[p].values(), ordinary.state[q].values())


def test_one_gradient_lives_at_a_time():
    params, living = tensors(), []
    for p in params:
        p.register_post_accumulate_grad_hook(lambda _: living.append(sum(p.grad is not None for p in params)))
    optimizer = optim.SGD(params, lr=0.1, release=True)
    train(params, optimizer)
    assert living == [1] * len(params) * STEPS
    assert all(p.grad is None for p in params)


@pytest.mark.parametrize("clip_norm", [2.0, gradstep.Linear(3.0, 1.0, 4)], ids=["number", "schedule"])
def test_clipping_by_the_norm_of_the_update_before(clip_norm):
    params, others, arrays = tensors(), tensors(), [normal(i, n) for i, n in enumerate(SIZES)]
    options = {"lr": 0.5, "clip_norm": clip_norm, "clip_lagged": True}
    train(params, optim.SGD(params, **options, release=True))
    train(others, optim.SGD(others, **options))
    assert_all_same(params, others)
    before = 0.0
    for t in range(STEPS):
        limit = clip_norm if isinstance(clip_norm, float) else clip_norm(t)
        by = np.float32(min(1, limit / (before + 1e-6)))
        before = norm(gradients(t))
        for a, g in zip(arrays, gradients(t), strict=True):
            a -= np.float32(0.5) * (by * g)  # a product with a power of two is exact, as in an fma
    for p, a in zip(params, arrays, strict=True):
        assert_same_bits(to_numpy(p), a)


def test_step_counts_once_per_iteration():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = optim.SGD([p], lr=gradstep.Linear(1.0, 0.0, 4), release=True)
    for expected in (-1.0, -1.75, -2.25):
        p.sum().backward()
        assert p.item() == expected
        optimizer.step()
        assert p.item() == expected


def test_a_forgotten_step_is_noticed():
    params = tensors()
    optimizer = optim.SGD(params, lr=0.1, release=True)
    backward(params, 0)
    with pytest.raises(
        RuntimeError, match=r"has been updated since the last step\(\): with release=True call optimizer"
    ):
        backward(params, 1)
    optimizer.step()
    for p in params:
        p.grad = None
    backward(params, 2)


def test_a_group_may_rest():
    params = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = optim.SGD([{"params": [p]} for p in params], lr=1.0, release=True)
    optimizer.param_groups[0]["release"] = False
    sum(params).sum().backward()
    assert [p.item() for p in params] == [0, -1]
    optimizer.step()
    assert [p.item() for p in params] == [-1, -1]


@pytest.mark.parametrize("tensor", [False, True])
def test_a_group_may_ask_for_it_later(tensor):
    params, others = tensors(), tensors()
    lr = torch.tensor(0.1) if tensor else 0.1  # a tensor may change in place, and its group is looked at in each step
    optimizer, twin = (optim.Adam(halves(each), lr=lr) for each in (params, others))
    freed = []
    for t, releases in enumerate([(), (0,), (0,), (0, 1), (0, 1), (1,), (0, 1)]):
        for i, group in enumerate(optimizer.param_groups):
            group["release"] = i in releases
        backward(params, t)
        freed.append([p.grad is None for p in params])
        optimizer.step()
        optimizer.zero_grad()
        train(others, twin, times=[t])
        assert_all_same(params, others)
    neither, first, second, both = [False] * 3, [True, True, False], [False, False, True], [True] * 3
    assert freed == [neither, neither, first, first, both, second, both]


def test_what_has_no_hook_is_updated_by_the_step():
    p, frozen = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1), requires_grad=False)
    optimizer = optim.SGD([p, frozen], lr=1.0, release=True)
    frozen.requires_grad_()
    (p + frozen).sum().backward()
    assert (p.item(), frozen.item()) == (-1, 0)
    optimizer.step()
    assert (p.item(), frozen.item()) == (-1, -1)


def test_groups_for_themselves_and_added_later():
    params = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
    optimizer = optim.SGD([{"params": params[:1]}, {"params": params[1:2], "release": True}], lr=1.0)
    optimizer.add_param_group({"params": params[2:], "release": True})
    sum(params).sum().backward()
    assert [p.item() for p in params] == [0, -1, -1]
    optimizer.step()
    assert [p.item() for p in params] == [-1, -1, -1]


def test_the_hooks_go_with_the_optimizer():
    params = tensors()
    optimizer = optim.SGD(params, lr=0.1, release=True)
    gone = weakref.ref(optimizer)
    before = [p.detach().clone() for p in params]
    del optimizer
    assert gone() is None  # at once: nothing holds it in a cycle
    backward(params, 0)
    assert_all_same(params, before)
    assert all(p.grad is not None for p in params)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))], ids=["copy", "pickle"])
def test_a_copy_releases_its_own_parameters(way):
    params = tensors()
    optimizer = optim.Adam(params, lr=0.1, release=True)
    train(params, optimizer)
    other, others = way((optimizer, params))
    before = [p.detach().clone() for p in params]
    backward(others, STEPS)
    assert_all_same(params, before)
    other.step()
    backward(params, STEPS)
    assert_all_same(params, others)


@pytest.mark.parametrize("saved", [False, True])
def test_a_checkpoint_does_not_change_how(saved):
    params, others = tensors(), tensors()
    first, second = optim.Adam(params, lr=0.1, release=saved), optim.Adam(others, lr=0.1, release=not saved)
    train(params, first)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        for p, q in zip(params, others, strict=True):
            q.copy_(p)
    assert second.param_groups[0]["release"] is not saved
    train(params, first, times=[STEPS])
    train(others, second, times=[STEPS])
    assert_all_same(params, others)


def test_autograd_notices():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([p], lr=0.1, release=True)
    loss = p.square().sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


REFUSED = [
    ({"clip_norm": 1.0}, "clip_norm needs the norm of all gradients before the first update.*pass clip_lagged=True"),
    ({"skip_nonfinite": True}, "skip_nonfinite=True looks at all gradients before the first update"),
    ({"accumulate": 2}, "accumulate sums gradients over several backward passes, and release=True frees them in each"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_options_that_need_all_gradients_are_refused(options, message):
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match=message):
        optim.SGD([p], lr=0.1, release=True, **options)
    optimizer = optim.SGD([p], lr=0.1, **options)
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "release": True})
    assert len(optimizer.param_groups) == 1
    p.sum().backward()
    assert p.grad is not None  # no hook has stayed


def test_a_rule_that_needs_all_gradients_is_refused():
    with pytest.raises(
        ValueError, match="Prodigy needs the gradients of all tensors for the update of each, and release"
    ):
        optim.Prodigy([torch.nn.Parameter(torch.ones(2))], release=True)


def test_a_closure_may_run_backward_once():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([p], lr=0.5, release=True)
    optimizer.step(lambda: p.sum().backward())
    assert p.tolist() == [0.5, 0.5]

    def closure():
        p.sum().backward()
        p.sum().backward()

    with pytest.raises(RuntimeError, match=r"parameter 0 has been updated since the last step\(\)"):
        optimizer.step(closure)
    assert p.tolist() == [0, 0]


def test_a_grad_scaler_is_refused():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([p], lr=0.1, release=True)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(p.sum()).backward()
    with pytest.raises(
        RuntimeError, match="release=True has updated with the scaled loss before the scaler could look"
    ):
        scaler.step(optimizer)


def test_backward_while_evaluating_is_refused():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = optim.ScheduleFreeSGD([p], lr=0.1, release=True)
    optimizer.eval()
    with pytest.raises(RuntimeError, match="the parameters hold their average, for evaluation"):
        p.sum().backward()


def test_arrays_and_functions_have_none():
    with pytest.raises(ValueError, match=r"release=True is for gradstep.optim, where backward makes the gradients"):
        gradstep.SGD([np.ones(2)], lr=0.1, release=True)
    with pytest.raises(ValueError, match="sgd_ keeps nothing between updates, which release needs: use the optimizer"):
        gradstep.functional.sgd_(np.ones(2), np.ones(2), step=1, lr=0.1, release=True)
