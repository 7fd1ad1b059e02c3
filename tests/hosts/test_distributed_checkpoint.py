"""torch.distributed.checkpoint, which makes the states of a new optimizer by an extra step."""

import copy
import pickle
import warnings

import pytest

import gradstep
from support.arrays import normal, to_numpy, to_torch
from support.cases import ONE_EACH
from support.injecting import assert_all_or_nothing, each_line

torch = pytest.importorskip("torch")
checkpoint = pytest.importorskip("torch.distributed.checkpoint")

from torch.distributed.checkpoint.state_dict import (  # noqa: E402
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from gradstep import optim  # noqa: E402
from support.training import assert_all_same, tensors  # noqa: E402

RATE = gradstep.Linear(0.1, 0.0, 20).warmup(3, offset=0)  # from 0
OPTIONS = {"lr": RATE, "ema": gradstep.Linear(0.5, 0.9, 20), "cast_to": "bf16"}

each_case = pytest.mark.parametrize("case", ONE_EACH, ids=str)
each_layout = pytest.mark.parametrize("flat", [False, True], ids=["nested", "flat"])


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="torch.distributed is (disabled|unavailable)")
        warnings.filterwarnings("ignore", message="TypedStorage is deprecated")  # torch's own use
        yield


@pytest.fixture(params=[False, True], ids=["no group", "group of one"])
def process_group(request, tmp_path):
    if request.param:
        torch.distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    if request.param:
        torch.distributed.destroy_process_group()


def new_model(dtype=torch.float32):
    return torch.nn.ParameterDict(dict(zip("ab", tensors(), strict=True))).to(dtype)


def backward(model, t):
    """A backward pass whose gradients are known."""
    each = [to_torch(normal(100 * t + i, tuple(p.shape))).to(p.dtype) for i, p in enumerate(model.values())]
    sum((p * g).sum() for p, g in zip(model.values(), each, strict=True)).backward()


def train(model, optimizer, times):
    for t in times:
        backward(model, t)
        optimizer.step()
        optimizer.zero_grad()


def assert_same(first, second):
    """Two models and their optimizers' states, bit for bit."""
    (model, optimizer), (other, their_optimizer) = first, second
    assert_all_same(map(to_numpy, model.values()), map(to_numpy, other.values()))
    for p, q in zip(model.values(), other.values(), strict=True):
        mine, theirs = optimizer.state[p], their_optimizer.state[q]
        assert mine.keys() == theirs.keys()
        assert_all_same(*([to_numpy(state[name]) for name in mine] for state in (mine, theirs)))


def save_and_load(path, saved, loaded, flat=False, change=lambda optimizers: None):
    """By way of files, from one model and optimizer into others, which are new."""
    options = StateDictOptions(flatten_optimizer_state_dict=flat)

    def parts(model, optimizer):
        optimizers = get_optimizer_state_dict(model, optimizer, options=options)
        return {"model": get_model_state_dict(model), "optimizer": optimizers}

    checkpoint.save(parts(*saved), checkpoint_id=path)
    into = parts(*loaded)
    checkpoint.load(into, checkpoint_id=path)
    change(into["optimizer"])
    set_model_state_dict(loaded[0], into["model"])
    set_optimizer_state_dict(*loaded, into["optimizer"], options=options)


@each_case
def test_the_states_are_made_and_nothing_moves(case):
    model, twin = new_model(), new_model()
    optimizer, other = case.over_tensors(model.values(), **OPTIONS), case.over_tensors(twin.values(), **OPTIONS)
    before, groups = [to_numpy(p).copy() for p in model.values()], copy.deepcopy(other.state_dict()["param_groups"])
    saved = get_optimizer_state_dict(model, optimizer)
    assert_all_same(map(to_numpy, model.values()), before)
    assert optimizer.state_dict()["param_groups"] == groups
    assert all(p.grad is None and not optimizer.state[p].get("step", 0) for p in model.values())
    train(twin, other, [0])
    for name, p in twin.items():
        assert saved["state"][name].keys() == other.state[p].keys()
    # The first update is a first one all the same: its states are those of an optimizer that nobody has asked.
    train(twin, other, [1, 2])
    train(model, optimizer, [0, 1, 2])
    assert_same((model, optimizer), (twin, other))


@each_layout
@each_case
def test_training_goes_on_from_files(case, flat, tmp_path):
    model, other = new_model(), new_model()
    first, second = (case.over_tensors(each.values(), **OPTIONS) for each in (model, other))
    train(model, first, range(4))
    save_and_load(tmp_path, (model, first), (other, second), flat)
    assert second.param_groups[0]["updates"] == 4
    train(model, first, range(4, 8))
    train(other, second, range(4, 8))
    assert_same((model, first), (other, second))


@each_layout
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_micro_batches_and_the_lagged_norm_go_on(dtype, flat, process_group, tmp_path):
    model, other = new_model(dtype), new_model(dtype)
    options = {**OPTIONS, "accumulate": 2, "clip_norm": 0.5, "clip_lagged": True}
    first, second = (optim.AdamW(each.values(), **options) for each in (model, other))
    train(model, first, range(4))
    plateau = gradstep.Plateau(factor=0.5, patience=0)
    assert [plateau.step(1.0, first) for _ in range(2)] == [1.0, 0.5]
    save_and_load(tmp_path / "saved", (model, first), (other, second), flat)
    assert second.param_groups[0]["updates"] == 2
    assert second.param_groups[0]["gradstep_scale"] == 0.5
    train(model, first, range(4, 8))
    train(other, second, range(4, 8))
    assert_same((model, first), (other, second))


@each_layout
def test_sums_of_micro_batches_are_not_lost_silently(flat, tmp_path):
    model, other = new_model(), new_model()
    first, second = (optim.AdamW(each.values(), accumulate=2) for each in (model, other))
    train(model, first, range(3))
    with pytest.raises(ValueError, match="saved after 1 micro-batches of an update, but their sums are not in it"):
        save_and_load(tmp_path / "refused", (model, first), (other, second), flat)

    def begin_anew(optimizers):  # as the message says
        for group in optimizers["param_groups"] if not flat else ():
            group["accumulated"] = 0
        for key in optimizers:
            if key.startswith("param_groups.") and key.endswith(".accumulated"):
                optimizers[key] = 0

    save_and_load(tmp_path / "anew", (model, first), (other, second), flat, begin_anew)
    assert second.accumulated == 0
    train(other, second, range(3, 5))
    assert second.accumulated == 0


@each_layout
@pytest.mark.parametrize("steps_after", [0, 1])
def test_a_rate_that_took_over_from_its_schedule_goes_on(steps_after, flat, tmp_path):
    model, other = new_model(), new_model()
    options = {"lr": RATE, "betas": (gradstep.Linear(0.9, 0.8, 20), 0.99)}
    first, second = (optim.AdamW(each.values(), **options) for each in (model, other))
    train(model, first, range(2))
    for group in first.param_groups:
        group["lr"] = 0.05
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*takes over from its schedule")
        train(model, first, range(2, 2 + steps_after))
        save_and_load(tmp_path, (model, first), (other, second), flat)
        train(model, first, range(3, 6))
        train(other, second, range(3, 6))
    assert second.param_groups[0]["lr"] == 0.05
    assert_same((model, first), (other, second))


@each_layout
def test_another_class_is_refused_by_name(flat, tmp_path):
    model, other = new_model(), new_model()
    first, second = optim.RAdam(model.values()), optim.NAdamW(other.values())
    train(model, first, range(2))
    with pytest.raises(ValueError, match="the state_dict is of RAdam, but this optimizer is NAdamW"):
        save_and_load(tmp_path, (model, first), (other, second), flat)


@each_layout
def test_micro_batches_without_gradients_go_on(flat, tmp_path):
    model, other = new_model(), new_model()
    first, second = (optim.AdamW(each.values(), accumulate=2) for each in (model, other))
    train(model, first, range(2))
    first.step()  # of a micro-batch in which nothing has a gradient
    save_and_load(tmp_path, (model, first), (other, second), flat)
    assert second.accumulated == 1
    train(model, first, range(2, 5))
    train(other, second, range(2, 5))
    assert_same((model, first), (other, second))


@each_layout
def test_the_mode_goes_on(flat, tmp_path):
    model, other = new_model(), new_model()
    first, second = (optim.ScheduleFreeAdamW(each.values(), lr=0.1) for each in (model, other))
    train(model, first, range(3))
    first.eval()
    save_and_load(tmp_path, (model, first), (other, second), flat)
    first.train()
    second.train()
    train(model, first, [3])
    train(other, second, [3])
    assert_same((model, first), (other, second))


def test_a_rate_in_a_tensor():
    model, twin = new_model(), new_model()
    optimizer, other = (optim.Adam(each.values(), lr=torch.tensor(0.1)) for each in (model, twin))
    get_optimizer_state_dict(model, optimizer)
    train(model, optimizer, range(2))
    train(twin, other, range(2))
    assert_same((model, optimizer), (twin, other))


def test_without_states_each_saving_asks_again():
    model = new_model()
    optimizer = optim.SGD(model.values(), lr=gradstep.Linear(0.5, 0.0, 10))
    for t in range(3):
        train(model, optimizer, [t])
        get_optimizer_state_dict(model, optimizer)
    assert (optimizer.param_groups[0]["updates"], optimizer.param_groups[0]["lr"]) == (3, 0.35)


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize("gradient", [1.0, float("nan"), None])
def test_a_first_step_at_rate_0_counts(gradient, release):
    model = new_model()
    optimizer = optim.Adam(model.values(), lr=RATE, release=release)
    for p in model.values():
        p.grad = torch.zeros_like(p)
    first = next(iter(model.values()))
    first.grad = None if gradient is None else torch.full_like(first, gradient)
    optimizer.step()
    assert optimizer.param_groups[0]["updates"] == 1
    assert [optimizer.state[p].get("step", 0) for p in model.values()] == [int(gradient is not None), 1]


@pytest.mark.parametrize("rates", [(0.0, 0.1), (0.1, 0.0)])
def test_a_first_step_with_zeros_counts_where_a_rate_is_not_0(rates):
    model = new_model()
    optimizer = optim.Adam([{"params": [p], "lr": lr} for p, lr in zip(model.values(), rates, strict=True)])
    for p in model.values():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    assert all(optimizer.state[p]["step"] == 1 for p in model.values())


def test_what_was_loaded_into_the_states_in_place_stays(tmp_path):
    model, other = new_model(), new_model()
    first, second = (optim.Adam(each.values(), lr=0.1) for each in (model, other))
    train(model, first, range(2))
    state = get_optimizer_state_dict(model, first)
    into = get_optimizer_state_dict(other, second)
    for name, saved in state["state"].items():
        for key, value in saved.items():
            into["state"][name][key].copy_(value)
    with torch.no_grad():
        for p, q in zip(model.values(), other.values(), strict=True):
            q.copy_(p)
    train(model, first, [2])
    train(other, second, [2])
    assert_same((model, first), (other, second))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_a_copy_begins_with_a_first_update_too(copied):
    model, twin = new_model(), new_model()
    optimizer, other = (optim.Rprop(each.values(), lr=0.25) for each in (model, twin))
    get_optimizer_state_dict(model, optimizer)
    model, optimizer = copied((model, optimizer))
    train(model, optimizer, range(2))
    train(twin, other, range(2))
    assert_same((model, optimizer), (twin, other))


def asked():
    """A new optimizer in the midst of what torch.distributed.checkpoint does to it."""
    model = new_model()
    optimizer = optim.Rprop([{"params": [p], "lr": 0.25} for p in model.values()], ema=0.5)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    for p in model.values():
        p.grad = torch.zeros_like(p)
    return model, optimizer


def test_an_exception_leaves_no_state_or_all():
    def look(subject):
        return [subject[1].state.get(p) for p in subject[0].values()], subject[1].state_dict()["param_groups"]

    assert_all_or_nothing(asked, lambda subject: subject[1].step(), look)


def test_a_first_update_after_an_exception_is_a_first_update():
    twin = new_model()
    other = optim.Rprop([{"params": [p], "lr": 0.25} for p in twin.values()], ema=0.5)
    train(twin, other, [0, 1])
    for _, (model, optimizer), _ in each_line(asked, lambda subject: subject[1].step()):
        for group, p in zip(optimizer.param_groups, model.values(), strict=True):
            group["lr"], p.grad = 0.25, None
        train(model, optimizer, [0, 1])
        assert_same((model, optimizer), (twin, other))


def test_arrays_refuse_lost_sums_too():
    optimizer = gradstep.SGD([normal(0, 3)], lr=0.1, accumulate=2)
    optimizer.step([normal(1, 3)])
    state = optimizer.state_dict()
    del state["state"][0]["gradient_sum"]
    with pytest.raises(ValueError, match="set 'accumulated' to 0 in all of state_dict"):
        gradstep.SGD([normal(0, 3)], lr=0.1, accumulate=2).load_state_dict(state)
