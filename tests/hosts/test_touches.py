"""What the programs around an optimizer do to it: torch's own, accelerate, Lightning, timm, transformers, DeepSpeed.

Each touch is theirs, written out in plain torch. Where it means nothing, training has the bits of training without it;
where it means something, the numbers of torch's optimizer under the same touch.
"""

import copy
import pickle
import types
import weakref
from collections import OrderedDict, defaultdict

import pytest

import gradstep
from arrays import to_numpy
from cases import ONE_EACH

torch = pytest.importorskip("torch")

from torch.optim import lr_scheduler, swa_utils  # noqa: E402

from gradstep import optim, rules  # noqa: E402
from training import assert_all_same, give_gradients, steps, tensors  # noqa: E402

RATE = gradstep.Linear(0.1, 0.0, 20)
OPTIONS = {"lr": RATE, "ema": gradstep.Linear(0.5, 0.9, 20), "cast_to": "bf16"}
STEPS = 5

each_case = pytest.mark.parametrize("case", ONE_EACH, ids=str)


def named(functions):
    return pytest.mark.parametrize("touch", functions, ids=lambda touch: touch.__name__)


# Touches that mean nothing. What they return takes the optimizer's place.


def copy_the_groups(optimizer):
    optimizer.param_groups = [dict(group) for group in optimizer.param_groups]


def put_the_groups_back_from_a_checkpoint(optimizer):
    """Lightning's BaseFinetuning, when a fit goes on."""
    saved = copy.deepcopy(optimizer.state_dict()["param_groups"])
    params = [group["params"] for group in optimizer.param_groups]
    optimizer.param_groups = [{**group, "params": each} for group, each in zip(saved, params, strict=True)]


def update_each_group(optimizer):
    for group, saved in zip(optimizer.param_groups, copy.deepcopy(optimizer.state_dict()["param_groups"]), strict=True):
        group.update({key: value for key, value in saved.items() if key != "params"})


def make_the_parameters_a_tuple(optimizer):
    for group in optimizer.param_groups:
        group["params"] = tuple(group["params"])


def replace_the_states(optimizer):
    """accelerate's AcceleratedOptimizer.state = ..., and what offloads states."""
    moved = {p: {name: each.clone() for name, each in state.items()} for p, state in optimizer.state.items()}
    optimizer.state = defaultdict(dict, moved)


def move_each_state(optimizer):
    """Lightning's _optimizer_to_device, to a device and back."""
    for state in optimizer.state.values():
        for name, value in state.items():
            if name != "step":
                state[name] = value.clone()


def load_what_it_has(optimizer):
    """accelerate's prepare."""
    optimizer.load_state_dict(optimizer.state_dict())


def load_from_an_ordered_dict(optimizer):
    optimizer.load_state_dict(OrderedDict(copy.deepcopy(optimizer.state_dict())))


def patch_step_by_a_function(optimizer):
    """accelerate, to learn whether a GradScaler has called it."""
    method = optimizer.step
    optimizer.step = lambda *args, **kwargs: method(*args, **kwargs)


def patch_step_by_a_method(optimizer):
    optimizer.step = types.MethodType(lambda self, closure=None: type(self).step(self, closure), optimizer)


def patch_zero_grad(optimizer):
    method = optimizer.zero_grad
    optimizer.zero_grad = lambda set_to_none=True: method(set_to_none=set_to_none)


def make_a_scheduler(optimizer):
    """A scheduler wraps step by its __func__, and writes initial_lr."""
    for group in optimizer.param_groups:
        group.pop("initial_lr", None)  # of the one before: the rate would be put back to that
    lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)


def toggle_the_parameters(optimizer):
    """Lightning's toggle_optimizer."""
    for flag in (False, True):
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.requires_grad = flag


def profile(optimizer):
    with torch.profiler.profile():
        optimizer.zero_grad()


def add_keys_of_its_own(optimizer):
    """timm's Lookahead, MAE's layer decay and Megatron keep their numbers in the groups and states."""
    for group in optimizer.param_groups:
        group.update(lookahead_alpha=0.5, lookahead_step=0, lr_scale=0.5, is_decoupled_lr=False, names=["a", "b"])
    for p, state in optimizer.state.items():
        state["lookahead_slow_buff"] = p.detach().clone()


def shallow(optimizer):
    return copy.copy(optimizer)


def deep(optimizer):
    return copy.deepcopy(optimizer)


def pickled(optimizer):
    return pickle.loads(pickle.dumps(optimizer))


NEUTRAL = [
    copy_the_groups,
    put_the_groups_back_from_a_checkpoint,
    update_each_group,
    make_the_parameters_a_tuple,
    replace_the_states,
    move_each_state,
    load_what_it_has,
    load_from_an_ordered_dict,
    patch_step_by_a_function,
    patch_step_by_a_method,
    patch_zero_grad,
    make_a_scheduler,
    toggle_the_parameters,
    profile,
    add_keys_of_its_own,
    shallow,
    deep,
    pickled,
]


@each_case
@named(NEUTRAL)
def test_a_touch_that_means_nothing_changes_nothing(touch, case, recwarn):
    params, others = tensors(), tensors()
    optimizer, twin = case.over_tensors(params, **OPTIONS), case.over_tensors(others, **OPTIONS)
    for t in range(STEPS):
        if t in (0, 3):
            optimizer = touch(optimizer) or optimizer
            params = list(optimizer.param_groups[0]["params"])
        steps(optimizer, params, [t])
        steps(twin, others, [t])
    assert_all_same(map(to_numpy, params), map(to_numpy, others))
    for p, q in zip(params, others, strict=True):
        assert_all_same(
            *([to_numpy(each[name]) for name in twin.state[q]] for each in (optimizer.state[p], twin.state[q]))
        )
    for key in ("lr", "updates", "schedules"):
        assert optimizer.param_groups[0][key] == twin.param_groups[0][key]
    assert [str(each.message) for each in recwarn if each.category is UserWarning] == []


# Touches that mean something, before step t.


def split_the_groups(optimizer, params, t):
    if t == 2:
        (group,) = optimizer.param_groups
        optimizer.param_groups = [{**group, "params": [p], "lr": 0.05 * (i + 1)} for i, p in enumerate(params)]


def exchange_the_parameters(optimizer, params, t):
    """accelerate's _switch_parameters, for FSDP."""
    if t in (0, 3):
        others = [torch.nn.Parameter(p.detach().clone()) for p in params]
        exchanged = dict(zip(params, others, strict=True))
        for p, q in exchanged.items():
            q.grad = p.grad
        for group in optimizer.param_groups:
            group["params"] = [exchanged.get(p, p) for p in group["params"]]
        params[:] = others


def step_one_sub_group(optimizer, params, t):
    """DeepSpeed's ZeRO-3 shows the optimizer a part of its parameters, and none between its steps."""
    optimizer.param_groups[0]["params"] = [params[t % 2]] if t != 3 else []


def interpolate_slowly(optimizer, params, t):
    """timm's Lookahead."""
    for group in optimizer.param_groups:
        group.setdefault("lookahead_step", 0)
        group["lookahead_step"] += 1
        for p in group["params"] if group["lookahead_step"] % 2 == 0 else ():
            slow = optimizer.state[p].setdefault("lookahead_slow_buff", p.detach().clone())
            slow.add_(p.detach() - slow, alpha=0.5)
            p.data.copy_(slow)


def scale_the_rates(optimizer, params, t):
    """Schedulers of timm, MAE and BEiT."""
    for group in optimizer.param_groups:
        group.setdefault("lr_scale", 0.5)
        group["lr"] = 0.1 / (t + 1) * group["lr_scale"]


def unscale_and_clip(optimizer, params, t):
    """timm's NativeScaler, but for the step, which is the test's."""
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(torch.ones(1))
    for p in params:
        p.grad *= 8.0
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(params, 0.5)


def freeze_one(optimizer, params, t):
    params[1].requires_grad_(t % 2 == 0)  # its gradient stays, and so does its update


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Adagrad"])
@named(
    [
        split_the_groups,
        exchange_the_parameters,
        step_one_sub_group,
        interpolate_slowly,
        scale_the_rates,
        unscale_and_clip,
        freeze_one,
    ]
)
def test_a_touch_that_means_something_means_what_it_does_to_torchs(touch, name):
    options = {"lr": 0.1, "weight_decay": 0.1} | ({"momentum": 0.9} if name == "SGD" else {})
    found = []
    for module in (optim, torch.optim):
        params = tensors()
        optimizer = getattr(module, name)(params, **options)
        for t in range(STEPS):
            give_gradients(params, t)
            touch(optimizer, params, t)
            optimizer.step()
        found.append(params)
    for p, q in zip(*found, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)  # float32, rounded in another order


SCHEDULERS = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 4]),
    "ConstantLR": lr_scheduler.ConstantLR,
    "LinearLR": lr_scheduler.LinearLR,
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
    "PolynomialLR": lr_scheduler.PolynomialLR,
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=2),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda t: 0.9**t),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.9),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "SWALR": lambda o: swa_utils.SWALR(o, 0.05),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.LinearLR(o), lr_scheduler.StepLR(o, 1)], [2]),
}


@pytest.mark.parametrize("tensor", [False, True], ids=["number", "tensor"])
@pytest.mark.parametrize("make", SCHEDULERS.values(), ids=SCHEDULERS)
def test_torchs_schedulers_drive_as_they_drive_torchs(make, tensor, recwarn):
    if tensor and make is SCHEDULERS["SWALR"]:
        pytest.skip("torch's SWALR makes the rate a number of its own")
    found, rates = [], []
    for module in (optim, torch.optim):
        params = tensors()
        optimizer = module.AdamW(params, lr=torch.tensor(0.1) if tensor else 0.1)
        scheduler = make(optimizer)
        for t in range(STEPS):
            give_gradients(params, t)
            optimizer.step()
            scheduler.step(*([1.0] if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) else []))
            rates.append((t, float(optimizer.param_groups[0]["lr"]), optimizer.param_groups[0]["betas"]))
        found.append(params)
    assert rates[:STEPS] == rates[STEPS:]
    for p, q in zip(*found, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)  # float32, rounded in another order
    assert not [each for each in recwarn if "optimizer.step()" in str(each.message)]  # "called before"


@pytest.mark.parametrize("name", rules.__all__)
def test_one_is_made_from_the_defaults_of_another(name):
    # ZeroRedundancyOptimizer, DeepSpeed and others: the class and the defaults.
    optimizer = getattr(optim, name)(tensors(), lr=0.125)
    other = type(optimizer)(tensors(), **optimizer.defaults)
    assert other.defaults == optimizer.defaults
    assert {k: v for k, v in other.param_groups[0].items() if k != "params"} == {
        k: v for k, v in optimizer.param_groups[0].items() if k != "params"
    }


@each_case
def test_nothing_keeps_an_optimizer_alive(case):
    params = tensors()
    optimizer = case.over_tensors(params, **OPTIONS)
    steps(optimizer, params, [0, 1])
    gone = weakref.ref(optimizer)
    del optimizer
    assert gone() is None


def test_groups_of_another_time_go_on_from_there():
    # Lightning's BaseFinetuning puts groups back that a checkpoint has kept, beside the states.
    params, others = tensors(), tensors()
    first, second = optim.AdamW(params, lr=RATE), optim.AdamW(others, lr=RATE)
    steps(first, params, range(3))
    saved = copy.deepcopy(first.state_dict())
    steps(second, others, [7])
    second.param_groups = [{**saved["param_groups"][0], "params": others}]
    for i, (p, q) in enumerate(zip(params, others, strict=True)):
        second.state[q] = saved["state"][i]
        q.data.copy_(p.detach())
    assert_all_same(steps(second, others, [3, 4]), steps(first, params, [3, 4]))
    assert second.param_groups[0]["updates"] == 5


def test_groups_in_another_order_keep_their_schedules():
    params = tensors()
    optimizer = optim.SGD([{"params": [params[0]], "lr": RATE}, {"params": [params[1]], "lr": gradstep.Constant(0.5)}])
    steps(optimizer, params, [0])
    optimizer.param_groups.reverse()
    steps(optimizer, params, [1])
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, RATE(2)]


def test_schedules_that_an_earlier_version_noted_as_overridden():
    def program():
        params = tensors()
        return params, optim.AdamW(params, lr=RATE, betas=(gradstep.Linear(0.9, 0.8, 20), 0.99))

    params, optimizer = program()
    steps(optimizer, params, [0])
    optimizer.param_groups[0]["lr"] = 0.5
    with pytest.warns(UserWarning, match="takes over from its schedule"):
        steps(optimizer, params, [1])
    saved = copy.deepcopy(optimizer.state_dict())
    (group,) = saved["param_groups"]
    assert group["schedules"].pop("lr") == ""
    group["overridden"] = ["lr"]
    others, other = program()
    with torch.no_grad():
        for p, q in zip(params, others, strict=True):
            q.copy_(p)
    other.load_state_dict(saved)
    assert other.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    assert_all_same(steps(other, others, [2]), steps(optimizer, params, [2]))


def test_a_checkpoint_from_before_a_schedule_was_overridden_is_taken():
    params = tensors()
    optimizer = optim.AdamW(params, lr=RATE, betas=(gradstep.Linear(0.9, 0.8, 20), 0.99))
    steps(optimizer, params, [0])
    saved = copy.deepcopy(optimizer.state_dict())
    optimizer.param_groups[0]["lr"] = 0.5
    with pytest.warns(UserWarning, match="takes over from its schedule"):
        steps(optimizer, params, [1])
    optimizer.load_state_dict(copy.deepcopy(saved))
    assert optimizer.state_dict()["param_groups"] == saved["param_groups"]
    saved["param_groups"][0]["schedules"]["beta1"] = gradstep.Constant(0.5).to_json()
    with pytest.raises(ValueError, match="saved with other schedules"):
        optimizer.load_state_dict(saved)


def test_a_schedule_that_a_scheduler_took_over_from_resumes_in_the_same_program():
    # transformers' Trainer makes a LambdaLR over any optimizer.
    def program(saved=None):
        params = tensors()
        optimizer = optim.AdamW(params, lr=RATE, betas=(gradstep.Linear(0.9, 0.8, 20), 0.99))
        scheduler = lr_scheduler.LambdaLR(optimizer, lambda t: 0.5**t)
        if saved:
            optimizer.load_state_dict(saved[0])
            scheduler.load_state_dict(saved[1])
        return params, optimizer, scheduler

    def train(params, optimizer, scheduler):
        for t in range(3):
            steps(optimizer, params, [t])
            scheduler.step()
        return optimizer.param_groups[0]

    first = program()
    with pytest.warns(UserWarning, match=r"group\['lr'\] was set to .* and takes over from its schedule"):
        group = train(*first)
    assert (group["lr"], group["betas"][0]) == (0.1 * 0.5**3, gradstep.Linear(0.9, 0.8, 20)(3))
    saved = copy.deepcopy([each.state_dict() for each in first[1:]])
    group = train(*program(saved))
    assert (group["lr"], group["betas"][0]) == (0.1 * 0.5**6, gradstep.Linear(0.9, 0.8, 20)(6))
    # A schedule that is given anew is one again, also in its checkpoints.
    params, optimizer, _ = program(saved)
    optimizer.param_groups[0]["lr"] = RATE
    steps(optimizer, params, [3])
    other = optim.AdamW(tensors(), lr=RATE, betas=(gradstep.Linear(0.9, 0.8, 20), 0.99))
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"] == RATE(4)


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
