"""attach: schedules that drive torch's optimizers."""

from types import SimpleNamespace

import pytest

import gradstep
from gradstep import Constant, ExponentialDecay, Linear

torch = pytest.importorskip("torch")

LR, MOMENTUM, BETA = ExponentialDecay(0.1, 0.5), Linear(0.9, 0.8, 10), Linear(0.95, 0.85, 10)


def parameter(value=1.0):
    p = torch.nn.Parameter(torch.full((2,), value, dtype=torch.float64))
    p.grad = torch.full((2,), 0.25, dtype=torch.float64)
    return p


def groups(count=1):
    return [{"params": [parameter()]} for _ in range(count)]


def test_the_updates_see_the_schedule():
    p = parameter()
    optimizer = torch.optim.SGD([p], lr=7.0)
    driver = gradstep.attach(optimizer, lr=LR)
    for _ in range(3):
        optimizer.step()
        driver.step()
    # lr 0.1, 0.05, 0.025 times the gradient of 0.25; a rounding for each update
    torch.testing.assert_close(p.detach(), torch.full((2,), 1 - 0.175 * 0.25, dtype=torch.float64), rtol=1e-15, atol=0)


def test_nothing_of_the_optimizer_is_replaced():
    optimizer = torch.optim.Adam(groups(), lr=7.0)
    attributes, keys = dict(vars(optimizer)), set(optimizer.param_groups[0])
    gradstep.attach(optimizer, lr=LR).step()
    assert (vars(optimizer), set(optimizer.param_groups[0])) == (attributes, keys)
    assert "step" not in vars(optimizer)


def test_one_of_three_betas():
    group = {"params": [], "betas": (0.9, 0.8, 0.7)}
    gradstep.attach(SimpleNamespace(param_groups=[group]), beta3=0.5)
    assert group["betas"] == (0.9, 0.8, 0.5)


def test_a_skipped_update_moves_nothing():
    optimizer = torch.optim.SGD(groups(), lr=7.0)
    driver = gradstep.attach(optimizer, lr=LR)
    driver.step(skipped=True)
    assert (driver.updates, optimizer.param_groups[0]["lr"]) == (0, LR(0))


@pytest.mark.parametrize("t", [0, 3, 1000])
def test_seek(t):
    optimizer = torch.optim.SGD(groups(), lr=7.0, momentum=0.5)
    gradstep.attach(optimizer, lr=LR, momentum=MOMENTUM).seek(t)
    assert (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]) == (LR(t), MOMENTUM(t))


def test_one_of_a_pair():
    optimizer = torch.optim.AdamW(groups(), betas=(0.5, 0.99))
    gradstep.attach(optimizer, beta1=BETA).step()
    assert optimizer.param_groups[0]["betas"] == (BETA(1), 0.99)


def test_a_list_has_one_for_each_group():
    optimizer = torch.optim.SGD(groups(3), lr=7.0)
    driver = gradstep.attach(optimizer, lr=[LR, None, 0.25])
    driver.step()
    assert [group["lr"] for group in optimizer.param_groups] == [LR(1), 7.0, 0.25]
    with pytest.raises(ValueError, match="lr has 2 schedules for 3 groups: pass one, or None, for each"):
        gradstep.attach(optimizer, lr=[LR, LR])


def test_a_rate_in_a_tensor_is_filled():
    lr = torch.tensor(7.0)
    driver = gradstep.attach(torch.optim.Adam(groups(), lr=lr), lr=LR)
    driver.step()
    assert lr == torch.tensor(LR(1))


def test_gradstep_scale_multiplies():
    optimizer = torch.optim.SGD(groups(), lr=7.0)
    driver = gradstep.attach(optimizer, lr=LR)
    optimizer.param_groups[0]["gradstep_scale"] = 0.1
    driver.step()
    assert optimizer.param_groups[0]["lr"] == LR(1) * 0.1


def test_resume():
    driver = gradstep.attach(torch.optim.SGD(groups(2), lr=7.0), lr=[LR, Constant(0.5)])
    driver.seek(4)
    optimizer = torch.optim.SGD(groups(2), lr=7.0)
    other = gradstep.attach(optimizer, lr=[LR, 0.5])
    other.load_state_dict(driver.state_dict())
    assert (other.updates, optimizer.param_groups[0]["lr"]) == (4, LR(4))
    changed = gradstep.attach(optimizer, lr=[LR, 0.75])
    with pytest.raises(ValueError, match=r"\n  lr of group 1: value \(of Constant\): 0.5 -> 0.75\n(.|\n)*call seek"):
        changed.load_state_dict(driver.state_dict())
    assert changed.updates == 0


def test_refusals():
    optimizer = torch.optim.SGD(groups(), lr=7.0)
    with pytest.raises(TypeError, match="attach got no hyper-parameter: pass at least one"):
        gradstep.attach(optimizer)
    with pytest.raises(ValueError, match="the optimizer's groups have no beta1: they have lr, momentum, "):
        gradstep.attach(optimizer, beta1=BETA)
    with pytest.raises(TypeError, match="'fast', a str, is no schedule"):
        gradstep.attach(optimizer, lr="fast")
    with pytest.raises(ValueError, match="t is -1: it counts updates and must be 0 or more"):
        gradstep.attach(optimizer, lr=LR).seek(-1)
    assert optimizer.param_groups[0]["lr"] == LR(0)
