"""Accesses of host libraries to an optimizer: torch's own, accelerate, Lightning, timm, transformers, DeepSpeed.

Each touch is theirs, written out in plain torch. Where it means nothing, training has the bits of training without it;
where it means something, the numbers of torch's optimizer under the same touch.
"""

import copy
import pickle
import types
from collections import OrderedDict, defaultdict

import pytest

from support.arrays import to_numpy
from support.usual_options import OPTIONS, STEPS, each_case

torch = pytest.importorskip("torch")

from torch.optim import lr_scheduler  # noqa: E402

from gradstep import optim  # noqa: E402
from support.tolerances import SINGLE  # noqa: E402
from support.training import assert_all_same, give_gradients, steps, tensors  # noqa: E402


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


@pytest.mark.grid
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
        torch.testing.assert_close(p, q, rtol=1e-5, atol=SINGLE)  # float32, rounded in another order
