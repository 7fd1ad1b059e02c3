"""Hyper-parameters that change between steps: by torch's schedulers, by hand, and in place."""

import pytest

from support.arrays import to_numpy
from support.cases import CASES

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from support.training import assert_all_same, give_gradients, steps, tensors  # noqa: E402

each_rule = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.mark.parametrize("tensor_lr", [False, True])
@each_rule
def test_torchs_schedulers_drive_it(case, tensor_lr):
    lr = case.hyper["lr"]
    params, expected = tensors(), tensors()
    scheduled = case.over_tensors(params, lr=torch.tensor(lr) if tensor_lr else lr)
    scheduler = torch.optim.lr_scheduler.StepLR(scheduled, step_size=2, gamma=0.5)
    by_hand = case.over_tensors(expected)
    by_hand.param_groups[0]["lr"] = float(torch.tensor(lr)) if tensor_lr else lr
    for t in range(5):
        give_gradients(params, t)
        give_gradients(expected, t)
        scheduled.step()
        by_hand.step()
        scheduler.step()
        if t % 2:
            by_hand.param_groups[0]["lr"] *= 0.5
    assert_all_same(map(to_numpy, params), map(to_numpy, expected))


@pytest.mark.parametrize("key", ["betas", "eps", "weight_decay"])
def test_hyperparameters_may_change_between_steps(key):
    changed = {"betas": (0.5, 0.75), "eps": 0.25, "weight_decay": 0.5}[key]
    found = []
    for tensor in (False, True):
        params = tensors()
        optimizer = optim.Adam(params, lr=0.1)
        steps(optimizer, params, [1])
        as_tensor = tuple(map(torch.tensor, changed)) if key == "betas" else torch.tensor(changed)
        optimizer.param_groups[0][key] = as_tensor if tensor else changed
        found.append(steps(optimizer, params, [2]))
    unchanged = tensors()
    optimizer = optim.Adam(unchanged, lr=0.1)
    expected = steps(optimizer, unchanged, [1, 2])
    assert_all_same(*found)
    assert not (found[0][0] == expected[0]).all()


def test_a_tensor_rate_may_change_in_place():
    params, expected = tensors(), tensors()
    rate = torch.tensor(0.25)
    optimizer, by_hand = optim.SGD(params, lr=rate), optim.SGD(expected, lr=0.25)
    steps(optimizer, params, [1])
    steps(by_hand, expected, [1])
    rate.fill_(0.5)
    by_hand.param_groups[0]["lr"] = 0.5
    assert_all_same(steps(optimizer, params, [2]), steps(by_hand, expected, [2]))


@pytest.mark.parametrize("key", ["clip_norm", "clip_value", "ema"])
def test_an_option_in_a_tensor_may_change_in_place(key):
    params, expected = tensors(), tensors()
    value = torch.tensor(0.25)
    optimizer, by_hand = optim.SGD(params, lr=0.5, **{key: value}), optim.SGD(expected, lr=0.5, **{key: 0.25})
    for t, now in enumerate([0.25, 0.5, 0.125], start=1):
        value.fill_(now)
        by_hand.param_groups[0][key] = now
        assert_all_same(steps(optimizer, params, [t]), steps(by_hand, expected, [t]))
        assert_all_same(averages(optimizer), averages(by_hand))


def averages(optimizer):
    return [state["ema"].numpy() for state in optimizer.state.values() if "ema" in state]
