"""Wrappers and callers of an optimizer: changed classes, closures, scalers, compiled functions, shards."""

import copy

import pytest

from support.arrays import to_numpy
from support.usual_options import OPTIONS, RATE

torch = pytest.importorskip("torch")
from gradstep import optim  # noqa: E402
from support.training import assert_all_same, give_gradients, steps, tensors  # noqa: E402


class Wrapper:
    """As Lightning's and Fabric's: takes on the class of what it holds, and passes on what it lacks."""

    def __init__(self, optimizer):
        self._optimizer = optimizer
        self.__class__ = type("Wrapped", (type(self), type(optimizer)), {})

    def step(self, closure=None):
        return self._optimizer.step(closure or (lambda: None))

    def __getattr__(self, name):
        return getattr(self._optimizer, name)


@pytest.mark.parametrize("release", [False, True])
def test_a_wrapper_that_takes_on_the_class(release):
    params, others = tensors(), tensors()
    wrapped = Wrapper(optim.SGD(params[:1], lr=0.5, ema=0.5, stats=True, release=release))
    twin = optim.SGD(others[:1], lr=0.5, ema=0.5, stats=True)
    assert isinstance(wrapped, optim.SGD)
    for each, optimizer in ((params, wrapped), (others, twin)):
        optimizer.add_param_group({"params": each[1:], "lr": 0.25})
        for _ in range(2):
            optimizer.zero_grad()
            sum((p**2).sum() for p in each).backward()
            optimizer.step()
    assert_all_same(map(to_numpy, params), map(to_numpy, others))
    assert_all_same(map(to_numpy, wrapped.averages.arrays()), map(to_numpy, twin.averages.arrays()))
    assert wrapped.stats() == twin.stats()
    assert wrapped.state_dict()["param_groups"][1]["lr"] == 0.25


@pytest.mark.parametrize("loads", [False, True])
def test_a_step_is_refused_while_a_wrapper_swaps_averages_in(loads):
    params = tensors()
    inner = optim.SGD(params, lr=0.5, ema=0.5)
    wrapped = Wrapper(inner)
    steps(inner, params, [0])
    before = [to_numpy(p).copy() for p in params]
    for outer in (inner, wrapped):
        with outer.averages.swapped_in():
            if loads:
                inner.load_state_dict(copy.deepcopy(inner.state_dict()))
            for each in (inner, wrapped):
                with pytest.raises(RuntimeError, match="the parameters are their averages now"):
                    each.step()
        assert_all_same(map(to_numpy, params), before)
    steps(wrapped, params, [1])


@pytest.mark.parametrize("release", [False, True])
def test_a_closure_that_runs_backward(release):
    # Lightning passes one to every step: forward, zero_grad, backward.
    params, others = tensors(), tensors()
    optimizer, twin = optim.AdamW(params, lr=RATE, release=release), optim.AdamW(others, lr=RATE)
    for _ in range(3):

        def closure():
            loss = sum((p**2).sum() for p in params)
            optimizer.zero_grad()
            loss.backward()
            return loss.item()

        loss = optimizer.step(closure)
        expected = sum((p**2).sum() for p in others)
        twin.zero_grad()
        expected.backward()
        twin.step()
        assert loss == expected.item()
    assert_all_same(map(to_numpy, params), map(to_numpy, others))
    assert optimizer.param_groups[0]["updates"] == 3


@pytest.mark.parametrize(("options", "whose"), [({}, "the step"), ({"fused": False}, "the scaler")])
def test_who_unscales(options, whose):
    # Lightning refuses to clip where the step unscales, and asks for an optimizer that is not fused.
    params, seen = tensors(), []
    optimizer = optim.SGD(params, lr=0.5, **options)
    optimizer.register_step_pre_hook(lambda *_: seen.append(params[0].grad.clone()))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    give_gradients(params, 1)
    true = params[0].grad.clone()
    before = params[0].detach().clone()
    for p in params:
        p.grad *= 4
    scaler.scale(torch.ones(1))
    scaler.step(optimizer)
    assert torch.equal(seen[0], true if whose == "the scaler" else 4 * true)
    assert torch.equal(params[0], before - true / 2)
    assert getattr(copy.deepcopy(optimizer), "_step_supports_amp_scaling") is (whose == "the step")  # noqa: B009


def test_sums_are_unscaled_once_whoever_asks():
    params = tensors()
    optimizer = optim.SGD(params, lr=0.5, accumulate=2, fused=False)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    before = params[0].detach().clone()
    for _ in range(2):
        scaler.scale(sum(p.sum() for p in params)).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    assert torch.equal(params[0], before - 0.5)  # the mean of two gradients of 1


def test_a_step_within_a_compiled_function(recwarn):
    params, others = tensors(), tensors()
    optimizer, twin = optim.AdamW(params, lr=RATE), optim.AdamW(others, lr=RATE)
    compiled = torch.compile(optimizer.step, backend="eager")
    for t in range(3):
        give_gradients(params, t)
        compiled()
    assert_all_same(map(to_numpy, params), steps(twin, others, range(3)))
    assert not [each for each in recwarn if "Dynamo" in str(each.message)]


def test_an_optimizer_for_each_parameter_in_backward():
    from torch.distributed.optim import _apply_optimizer_in_backward

    params = tensors()
    before = [to_numpy(p) - 0.5 for p in params]
    _apply_optimizer_in_backward(optim.SGD, params, {"lr": 0.5})
    sum(p.sum() for p in params).backward()
    assert_all_same(map(to_numpy, params), before)


def test_other_entries_of_a_state_dict_are_left_alone():
    # PostLocalSGDOptimizer hands its own state_dict on, which holds its step.
    optimizer = optim.SGD(tensors(), lr=0.5)
    optimizer.load_state_dict({**optimizer.state_dict(), "step": 3})


def test_a_sharded_optimizer_of_one_process(tmp_path):
    from torch.distributed.optim import ZeroRedundancyOptimizer

    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        params, others = tensors(), tensors()
        sharded = ZeroRedundancyOptimizer(params, optim.AdamW, **OPTIONS)
        twin = optim.AdamW(others, **OPTIONS)
        steps(sharded, params, range(2))
        sharded.consolidate_state_dict()
        sharded.load_state_dict(sharded.state_dict())
        assert_all_same(steps(sharded, params, [2, 3]), steps(twin, others, range(4)))
        assert sharded.param_groups[0]["lr"] == RATE(4)
    finally:
        torch.distributed.destroy_process_group()
