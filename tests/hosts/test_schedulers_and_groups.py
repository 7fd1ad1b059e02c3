"""torch's schedulers, and what hosts do to groups and schedules, do to ours what they do to torch's."""

import copy
import weakref

import pytest

import gradstep
from support.usual_options import OPTIONS, RATE, STEPS, each_case

torch = pytest.importorskip("torch")
from torch.optim import lr_scheduler, swa_utils  # noqa: E402

from gradstep import optim, rules  # noqa: E402
from support.tolerances import SINGLE  # noqa: E402
from support.training import assert_all_same, give_gradients, steps, tensors  # noqa: E402

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
        torch.testing.assert_close(p, q, rtol=1e-5, atol=SINGLE)  # float32, rounded in another order
    assert not [each for each in recwarn if "optimizer.step()" in str(each.message)]  # "called before"


@pytest.mark.parametrize("name", rules.ALL)
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
    # Lightning's BaseFinetuning restores the groups that it has saved in a checkpoint in addition to the states.
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
