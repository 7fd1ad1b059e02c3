"""attach: schedules that drive torch's optimizers."""

import copy
import pickle
from types import SimpleNamespace

import pytest

import gradstep
from gradstep import Constant, ExponentialDecay, Linear
from support.injecting import assert_all_or_nothing
from support.tolerances import FEW_ULP, SINGLE

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
    torch.testing.assert_close(
        p.detach(), torch.full((2,), 1 - 0.175 * 0.25, dtype=torch.float64), rtol=FEW_ULP, atol=0
    )


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


@pytest.mark.parametrize("lr", [7.0, torch.tensor(7.0)], ids=["number", "tensor"])
def test_an_optimizer_that_loads_its_state_is_driven_on(lr):
    optimizer = torch.optim.Adam(groups(2), lr=lr)
    driver = gradstep.attach(optimizer, lr=LR, beta1=BETA)
    optimizer.load_state_dict(optimizer.state_dict())
    for t in range(1, 4):
        optimizer.step()
        driver.step()
        assert [group["betas"][0] for group in optimizer.param_groups] == [BETA(t)] * 2
        assert [float(group["lr"]) for group in driver.param_groups] == pytest.approx([LR(t)] * 2, rel=1e-7)


@pytest.mark.parametrize("order", [("optimizer", "driver"), ("driver", "optimizer")])
def test_a_checkpoint_restores_both_in_either_order(order, tmp_path):
    def run(updates, restore=False):
        p = parameter()
        optimizer = torch.optim.SGD([p], lr=7.0, momentum=0.5)
        parts = {"optimizer": optimizer, "driver": gradstep.attach(optimizer, lr=LR), "p": p}
        if restore:
            gradstep.checkpoint.restore(tmp_path / "run.pt", **{name: parts[name] for name in (*order, "p")})
        for _ in range(updates):
            optimizer.step()
            parts["driver"].step()
        return parts

    parts = run(3)
    gradstep.checkpoint.save(tmp_path / "run.pt", **parts)
    assert torch.equal(run(2, restore=True)["p"], run(5)["p"])


def test_a_group_added_later_is_driven_by_the_schedule_of_all():
    optimizer = torch.optim.SGD(groups(), lr=7.0)
    driver = gradstep.attach(optimizer, lr=LR)
    driver.step()
    optimizer.add_param_group({"params": [parameter()], "lr": 3.0})
    driver.seek(driver.updates)
    assert [group["lr"] for group in optimizer.param_groups] == [LR(1)] * 2
    driver.step()
    assert [group["lr"] for group in optimizer.param_groups] == [LR(2)] * 2


def test_a_group_added_to_a_list_of_schedules_is_refused_in_words():
    optimizer = torch.optim.SGD(groups(2), lr=7.0)
    driver = gradstep.attach(optimizer, lr=[LR, None])
    optimizer.add_param_group({"params": [parameter()]})
    with pytest.raises(
        ValueError, match=r"lr has 2 schedules for 3 groups: .* attach again and seek\(driver.updates\)"
    ):
        driver.step()
    assert (driver.updates, optimizer.param_groups[0]["lr"]) == (0, LR(0))
    again = gradstep.attach(optimizer, lr=[LR, None, 0.5])
    again.seek(driver.updates + 1)
    assert [group["lr"] for group in optimizer.param_groups] == [LR(1), 7.0, 0.5]


def test_groups_that_share_a_tensor_share_its_value():
    lr = torch.tensor(7.0, dtype=torch.float64)
    optimizer = torch.optim.Adam(groups(2), lr=lr)
    for wanted in ([LR, Constant(LR(0))], [LR, None], [None, LR]):
        with pytest.raises(
            ValueError, match="groups 0 and 1 share one tensor as their lr, which can't have two values"
        ):
            gradstep.attach(optimizer, lr=wanted)
        assert lr == 7.0
    driver = gradstep.attach(optimizer, lr=[LR, ExponentialDecay(0.1, 0.5)])  # equal ones
    driver.step()
    assert lr == LR(1)
    optimizer.param_groups[1]["gradstep_scale"] = 0.5
    with pytest.raises(ValueError, match="give each group a clone"):
        driver.step()
    optimizer.param_groups[1]["lr"] = lr.clone()
    driver.step()
    assert [group["lr"] for group in optimizer.param_groups] == [LR(2), LR(2) / 2]


def test_a_write_that_is_refused_has_written_nothing():
    optimizer = torch.optim.SGD(groups(2), lr=7.0)
    driver = gradstep.attach(optimizer, lr=LR)
    optimizer.param_groups[1]["gradstep_scale"] = -1.0
    with pytest.raises(ValueError, match="Invalid gradstep_scale"):
        driver.step()
    assert (driver.updates, optimizer.param_groups[0]["lr"]) == (0, LR(0))


@pytest.mark.parametrize("lr", [7.0, torch.tensor(7.0)], ids=["number", "tensor"])
def test_an_exception_leaves_all_values_or_none(lr):
    def make():
        optimizer = torch.optim.Adam([{**group, "lr": copy.deepcopy(lr)} for group in groups(2)])
        return gradstep.attach(optimizer, lr=[LR, MOMENTUM], beta1=BETA)

    def look(driver):
        return driver.updates, [(group["lr"], group["betas"]) for group in driver.param_groups]

    assert_all_or_nothing(make, lambda driver: driver.step(), look)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_a_copy_drives_the_copy(copied):
    optimizer = torch.optim.SGD(groups(), lr=7.0)
    driver = gradstep.attach(optimizer, lr=LR)
    other, twin = copied((optimizer, driver))
    twin.step()
    assert (other.param_groups[0]["lr"], optimizer.param_groups[0]["lr"]) == (LR(1), LR(0))
    assert twin.optimizer is other


@pytest.mark.parametrize("optimizer", [object(), SimpleNamespace(param_groups=None), [{"params": [], "lr": 1.0}]])
def test_what_has_no_groups_is_refused_in_words(optimizer):
    with pytest.raises(TypeError, match=r"has no param_groups: it drives torch's .* Keras .* optimizer.learning_rate"):
        gradstep.attach(optimizer, lr=LR)


def test_keras_takes_the_rate_as_the_message_says():
    keras = pytest.importorskip("keras")
    optimizer = keras.optimizers.SGD(1.0)
    with pytest.raises(TypeError, match="attach got a SGD, which has no param_groups"):
        gradstep.attach(optimizer, lr=LR)
    optimizer.learning_rate = LR(3)
    assert float(optimizer.learning_rate) == pytest.approx(LR(3), rel=SINGLE)  # in float32


def test_refusals():
    optimizer = torch.optim.SGD(groups(), lr=7.0)
    with pytest.raises(TypeError, match="attach got no hyper-parameter: pass at least one"):
        gradstep.attach(optimizer)
    with pytest.raises(ValueError, match="the optimizer's groups have no beta1: they have lr, momentum, "):
        gradstep.attach(optimizer, beta1=BETA)
    with pytest.raises(TypeError, match="'fast', a str, is not a schedule"):
        gradstep.attach(optimizer, lr="fast")
    with pytest.raises(ValueError, match="t is -1: it counts updates and must be 0 or more"):
        gradstep.attach(optimizer, lr=LR).seek(-1)
    assert optimizer.param_groups[0]["lr"] == LR(0)
