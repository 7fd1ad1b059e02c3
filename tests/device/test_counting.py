"""A device counts updates by itself; the groups show its count in a state_dict."""

import copy
import pickle

import numpy as np
import pytest
import torch

from gradstep import CosineDecay, Linear, optim
from support.twins import Twins, normals

SIZES = (3, 4097)
RATE, CLIP = Linear(0.3, 0.1, 10), CosineDecay(2.0, 8)


def adam(tensors, **options):
    return optim.Adam(tensors, eps=1e-3, **{"lr": RATE, "clip_norm": CLIP, "skip_nonfinite": True, **options})


def step(twins, t, bad=False):
    gradients = normals(t, SIZES)
    if bad:
        gradients[0][1] = np.nan
    twins.take(gradients)
    twins.step()


def some_steps(device, make=adam):
    """Twins after two updates and a skipped step between them."""
    twins = Twins(device, make, normals(0, SIZES))
    for t in (1, 2, 3):
        step(twins, t, bad=t == 2)
    return twins


def updates(optimizer):
    return optimizer.state_dict()["param_groups"][0]["updates"]


def test_the_groups_show_what_the_host_counts_until_a_state_dict_asks(device):
    found = some_steps(device).found
    assert found.param_groups[0]["updates"] == 3  # with the skipped step, as the host did not wait for the device
    saved = found.state_dict()["param_groups"][0]
    assert (saved["updates"], saved["lr"], saved["clip_norm"]) == (2, RATE(2), CLIP(2))
    assert found.param_groups[0]["lr"] == RATE(2)


def test_a_step_without_gradients_counts(device):
    twins = Twins(device, adam, normals(0, SIZES))
    for gradients in ([None, None], normals(2, SIZES), [None, None], normals(4, SIZES)):
        twins.take(gradients)
        twins.step()
        twins.assert_same()
    assert updates(twins.found) == updates(twins.expected) == 4


def test_going_on_after_a_state_dict(device):
    twins = some_steps(device)
    for optimizer in (twins.expected, twins.found):
        optimizer.state_dict()
    for t in (4, 5):
        step(twins, t)
        twins.assert_same()


@pytest.mark.parametrize("through", [copy.deepcopy, lambda saved: pickle.loads(pickle.dumps(saved))])
def test_resuming_from_a_state_dict(device, through):
    twins = some_steps(device)
    for name, parameters in (("expected", twins.host), ("found", twins.there)):
        saved = through(getattr(twins, name).state_dict())
        resumed = adam(parameters)
        resumed.load_state_dict(saved)
        setattr(twins, name, resumed)
    for t in (4, 5):
        step(twins, t, bad=t == 4)
        twins.assert_same()
    assert updates(twins.found) == updates(twins.expected) == 3


def test_a_checkpoint_of_a_device_resumes_on_the_cpu(device):
    twins = some_steps(device)
    saved = copy.deepcopy(twins.found.state_dict())
    twins.found = twins.expected
    for state in saved["state"].values():
        for name, value in state.items():
            state[name] = value.cpu()
    twins.expected = adam(twins.host)
    twins.expected.load_state_dict(saved)
    twins.take(normals(4, SIZES))
    twins.expected.step()
    reference = some_steps(device)
    step(reference, 4)
    for parameter, expected in zip(twins.host, reference.host, strict=True):
        np.testing.assert_array_equal(parameter.numpy(), expected.numpy())


def test_a_group_that_comes_later_takes_up_the_clock(device):
    twins = Twins(device, lambda tensors: adam(tensors[:1]), normals(0, SIZES))
    for t in (1, 2):
        step(twins, t, bad=t == 1)
    for optimizer, parameters in ((twins.expected, twins.host), (twins.found, twins.there)):
        optimizer.add_param_group({"params": parameters[1:], "lr": CosineDecay(0.5, 7)})
    for t in (3, 4):
        step(twins, t)
        twins.assert_same()
    assert [group["updates"] for group in twins.found.state_dict()["param_groups"]] == [3, 3]


def test_a_schedule_that_comes_later_starts_its_clock(device):
    twins = some_steps(device, lambda tensors: adam(tensors, lr=0.2, clip_norm=None))
    for optimizer in (twins.expected, twins.found):
        optimizer.param_groups[0]["lr"] = RATE
    for t in (4, 5):
        step(twins, t, bad=t == 4)
        twins.assert_same()
    assert updates(twins.found) == updates(twins.expected) == 1


def test_a_schedule_beside_others_takes_up_their_clock(device):
    twins = some_steps(device)
    for optimizer in (twins.expected, twins.found):
        optimizer.param_groups[0]["betas"] = (Linear(0.5, 0.9, 6), 0.9)
    for t in (4, 5):
        step(twins, t)
        twins.assert_same()
    assert updates(twins.found) == updates(twins.expected) == 4


def test_a_number_written_over_a_schedule_takes_over(device):
    twins = some_steps(device)
    for optimizer in (twins.expected, twins.found):
        optimizer.param_groups[0]["lr"] = 0.05
    with pytest.warns(UserWarning, match="takes over from its schedule"):
        step(twins, 4)
    twins.assert_same()


def test_a_factor_of_the_rate(device):
    twins = some_steps(device)
    for optimizer in (twins.expected, twins.found):
        optimizer.param_groups[0]["gradstep_scale"] = 0.3
    step(twins, 4)
    twins.assert_same()


def test_the_norm_of_the_last_update_is_kept_in_a_checkpoint(device):
    twins = some_steps(device, lambda tensors: adam(tensors, clip_norm=0.4, clip_lagged=True))
    norms = [each.state_dict()["param_groups"][0]["last_norm"] for each in (twins.found, twins.expected)]
    assert norms[0] == norms[1] > 0.4


def test_groups_that_count_differently(device):
    parameters = [device.put(start) for start in normals(0, SIZES)]
    groups = [{"params": parameters[:1], "updates": 2}, {"params": parameters[1:], "updates": 5}]
    optimizer = adam(groups)
    for parameter in parameters:
        parameter.grad = parameter.clone()
    for _ in range(2):
        with (
            device.stepping(),
            pytest.raises(
                ValueError, match=r"schedules are at \[2, 5\] updates, .* set group\['updates'\] to the same"
            ),
        ):
            optimizer.step()


def test_micro_batches_are_skipped_by_what_the_device_finds(device):
    options = {"accumulate": 2, "lr": CosineDecay(0.3, 9)}
    twins = Twins(device, lambda tensors: adam(tensors, **options), normals(0, SIZES, "bf16"))
    for t in (1, 2, 3, 4, 5):
        gradients = normals(t, SIZES, "bf16")
        if t == 2:
            gradients[0][1] = np.nan
        twins.take(gradients)
        twins.step()
        assert twins.found.accumulated == twins.expected.accumulated
    twins.assert_same()
    assert updates(twins.found) == updates(twins.expected) == 1


def skipped_once(twins):
    """A first step that the device skips by its own memory: it has made states, the CPU has not."""
    bad = normals(1, SIZES)
    bad[0][1] = np.nan
    twins.take(bad)
    twins.step()


def save_and_load(optimizer, parameters):
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


@pytest.mark.parametrize(
    "change",
    [
        save_and_load,
        lambda optimizer, _: optimizer.state_dict(),
        lambda optimizer, parameters: optimizer.add_param_group(
            {"params": [torch.zeros(1, device=parameters[0].device)]}
        ),
    ],
    ids=["load", "save", "group"],
)
@pytest.mark.parametrize("name", ["ScheduleFreeAdamW", "SGD", "Rprop"])
def test_states_of_skipped_steps_are_forgotten(device, name, change):
    options = {"momentum": 0.9, "dampening": 0.5} if name == "SGD" else {}
    twins = Twins(device, lambda t: getattr(optim, name)(t, lr=0.1, skip_nonfinite=True, **options), normals(0, SIZES))
    skipped_once(twins)
    for optimizer, parameters in ((twins.expected, twins.host), (twins.found, twins.there)):
        change(optimizer, parameters)
    for t in (2, 3):
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()


def test_a_saved_state_after_skipped_steps_is_empty(device):
    twins = Twins(device, adam, normals(0, SIZES))
    skipped_once(twins)
    assert len(twins.found.state) == 2
    assert twins.found.state_dict()["state"] == twins.expected.state_dict()["state"] == {}


@pytest.mark.parametrize("name", ["ScheduleFreeAdamW", "ScheduleFreeSGD"])
def test_a_rule_that_evaluates_elsewhere_than_it_trains(device, name):
    twins = Twins(device, lambda tensors: getattr(optim, name)(tensors, lr=0.1), normals(0, SIZES))
    for t in (1, 2):
        step(twins, t)
        for change in ("eval", "train"):
            getattr(twins.expected, change)()
            with device.stepping():
                getattr(twins.found, change)()
            twins.assert_same()


def test_groups_under_one_schedule_of_a_rule_that_measures_them_as_one(device):
    def make(tensors):
        groups = [{"params": tensors[:1]}, {"params": tensors[1:], "weight_decay": Linear(0.2, 0.1, 4)}]
        return optim.Prodigy(groups, lr=RATE, d0=0.02, skip_nonfinite=True)

    twins = Twins(device, make, normals(0, SIZES))
    for t in (1, 2, 3, 4):
        for optimizer in (twins.expected, twins.found):
            optimizer.param_groups[0]["weight_decay"] = 0.1 * t  # makes the settings of one group anew
        step(twins, t, bad=t == 2)
        twins.assert_same()
    twins.found.param_groups[0]["lr"] = CosineDecay(0.3, 10)
    with device.stepping(), pytest.raises(ValueError, match="the rule 'prodigy' measures all groups as one: give them"):
        twins.found.step()
