"""The factor of Plateau and Explore, and other libraries' factors in ``lr_scale``, which steps must not multiply by."""

import copy
import pickle

import numpy as np
import pytest

import gradstep as gs
from support.arrays import assert_same_bits, normal
from support.cases import ONE_EACH

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from support.training import assert_all_same, steps, tensors  # noqa: E402


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_another_librarys_lr_scale_is_left_alone(case):
    # timm's, MAE's and BEiT's layer-wise decay: their schedulers write lr * lr_scale into the groups.
    found, expected = tensors(), tensors()
    over = case.over_tensors([{"params": [p], "lr_scale": 0.5} for p in found])
    for group in over.param_groups:
        group["lr"] = case.hyper["lr"] * group["lr_scale"]
    plain = case.over_tensors(expected, lr=case.hyper["lr"] * 0.5)
    assert_all_same(steps(over, found, range(3)), steps(plain, expected, range(3)))
    arrays, others = [normal(1, 5)], [normal(1, 5)]
    case.over([{"params": arrays, "lr_scale": 0.5}]).step([normal(2, 5)])
    case.over(others).step([normal(2, 5)])
    assert_same_bits(arrays[0], others[0])


def former(optimizer, *scales):
    """A checkpoint as it was when our factor was in ``lr_scale``."""
    saved = copy.deepcopy(optimizer.state_dict())
    for group, scale in zip(saved["param_groups"], scales, strict=True):
        group.pop("gradstep_scale", None)
        if scale is not None:
            group["lr_scale"] = scale
    return saved


def over_arrays(groups):
    return gs.SGD([{"params": [np.zeros(1)], **group} for group in groups], lr=0.5)


def over_tensors(groups):
    return optim.SGD([{"params": [torch.zeros(1)], **group} for group in groups], lr=0.5)


both = pytest.mark.parametrize("make", [over_arrays, over_tensors])


@both
def test_a_former_factor_of_ours_is_distinguished_from_another_librarys(make):
    # one that a Plateau made, one of the program's own groups, and one of both
    groups = [{}, {"lr_scale": 0.75}, {"lr_scale": 0.75}, {}]
    saved = former(make(groups), 0.25, 0.75, 0.375, None)
    optimizer = make(groups)
    optimizer.load_state_dict(saved)
    assert [group.get("gradstep_scale", 1.0) for group in optimizer.param_groups] == [0.25, 1.0, 0.5, 1.0]
    assert [group.get("lr_scale") for group in optimizer.param_groups] == [None, 0.75, 0.75, None]


@both
def test_a_present_checkpoint_keeps_another_librarys_factor_separate(make):
    optimizer = make([{"lr_scale": 0.75}])
    gs.Explore(found=0.5).step(1.0, optimizer)
    for other in (make([{"lr_scale": 0.75}]), make([{}])):
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        assert other.param_groups[0]["lr_scale"] == 0.75
        assert other.param_groups[0]["gradstep_scale"] == 1.0
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert twin.param_groups[0]["gradstep_scale"] == 1.0


def test_a_checkpoint_of_torch_has_no_factor_of_ours():
    theirs = torch.optim.SGD([{"params": [torch.zeros(1)], "lr_scale": 0.5}], lr=1.0)
    optimizer = over_tensors([{}])
    optimizer.load_state_dict(theirs.state_dict())
    assert optimizer.param_groups[0]["gradstep_scale"] == 1.0
    assert optimizer.param_groups[0]["lr_scale"] == 0.5


def test_what_attach_drove_goes_on_with_the_factor_of_then():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    driver = gs.attach(optimizer, lr=gs.Constant(0.5))
    saved = {name: value for name, value in driver.state_dict().items() if name != "scale"}
    optimizer.param_groups[0]["lr_scale"] = 0.25  # by a Plateau of then, as loaded by torch
    driver.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.125
    optimizer.param_groups[0]["lr_scale"] = 0.75  # another library's
    driver.load_state_dict(driver.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.125


@both
@pytest.mark.parametrize("scale", [-1.0, float("nan"), float("inf")])
def test_a_wrong_factor_is_refused(make, scale):
    optimizer = make([{}])
    optimizer.param_groups[0]["gradstep_scale"] = scale
    with pytest.raises(
        ValueError, match=r"Invalid gradstep_scale value: .*: gradstep_scale must be a number in \[0, inf\)"
    ):
        optimizer.step(*([[np.ones(1)]] if make is over_arrays else []))
    plateau = gs.Plateau(patience=0)
    with pytest.raises(ValueError, match="Invalid gradstep_scale value"):
        plateau.step(1.0, optimizer)
    assert plateau.state_dict() == gs.Plateau(patience=0).state_dict()
