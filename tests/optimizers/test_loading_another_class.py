"""A state_dict of another class is refused by name; changed options are listed in one warning."""

import copy
import warnings

import numpy as np
import pytest
from test_loading import Run, each_layer

import gradstep
from gradstep import rules
from support.cases import DEFAULTS

torch = pytest.importorskip("torch")
from gradstep import optim  # noqa: E402
from support.tolerances import SINGLE  # noqa: E402
from support.training import steps, tensors  # noqa: E402

#: classes that load each other's, as torch's do
ONE_RULE = [{"Adam", "AdamW"}]


#: classes that share the names of all states and hyper-parameters with others
ALIKE = [*ONE_RULE, {"ADOPT", "LaProp", "NAdamW", "RAdam", "SparseAdam", "StableAdamW"}]


@pytest.mark.parametrize("named", [True, False], ids=["", "of an earlier version"])
@pytest.mark.parametrize("source", DEFAULTS, ids=str)
@each_layer
@pytest.mark.filterwarnings("ignore:the state_dict's options take the place")
def test_another_class_is_refused_by_name(layer, source, named):
    saved = Run(layer, source.name, 2).saved()
    for group in saved["param_groups"]:
        assert group["gradstep_class"] == source.name
        if not named:
            del group["gradstep_class"]
    for name in rules.ALL:
        run = Run(layer, name)
        if name == source.name or any({name, source.name} <= each for each in (ONE_RULE if named else ALIKE)):
            run.optimizer.load_state_dict(copy.deepcopy(saved))
            assert all(group["gradstep_class"] == name for group in run.optimizer.param_groups)
            continue
        before = run.look()
        source_named = source.name if named else f".*{source.name}.*"
        with pytest.raises(ValueError, match=rf"the state_dict is of {source_named}, but this optimizer is {name}: "):
            run.optimizer.load_state_dict(copy.deepcopy(saved))
        assert run.look() == before


@each_layer
def test_a_class_without_states_is_refused_by_name(layer):
    run = Run(layer, "NAdamW")
    with pytest.raises(ValueError, match="is of RAdam, but this optimizer is NAdamW: its groups have 'gradstep_class'"):
        run.optimizer.load_state_dict(Run(layer, "RAdam").saved())
    for damaged in (None, ["NAdamW"], "Nonesuch"):
        saved = Run(layer, "NAdamW").saved()
        saved["param_groups"][1]["gradstep_class"] = damaged
        with pytest.raises(ValueError, match="but this optimizer is NAdamW: its groups have 'gradstep_class'"):
            run.optimizer.load_state_dict(saved)


@each_layer
def test_subclasses_and_groups_of_others_have_the_name_of_their_class(layer):
    of_layer = optim if layer == "tensors" else gradstep
    run = Run(layer, "LaProp", 2)
    derived = type("Derived", (of_layer.LaProp,), {})(Run(layer, "LaProp").params)
    assert derived.param_groups[0]["gradstep_class"] == "LaProp"
    other = of_layer.SGD([dict(group) for group in run.optimizer.param_groups], lr=0.1)
    assert [group["gradstep_class"] for group in other.param_groups] == ["SGD", "SGD"]
    other.add_param_group({"params": Run(layer, "SGD").params, "gradstep_class": "Adam"})
    assert other.state_dict()["param_groups"][2]["gradstep_class"] == "SGD"


def test_another_class_is_refused_out_of_files(tmp_path):
    for layer, ending in (("arrays", "npz"), ("tensors", "pt")):
        path = tmp_path / f"run.{ending}"
        gradstep.checkpoint.save(path, optimizer=Run(layer, "StableAdamW", 2).optimizer)
        with pytest.raises(ValueError, match="is of StableAdamW, but this optimizer is ADOPT"):
            gradstep.checkpoint.restore(path, optimizer=Run(layer, "ADOPT").optimizer)
        gradstep.checkpoint.restore(path, optimizer=Run(layer, "StableAdamW").optimizer)


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "Adafactor"])
def test_another_class_of_torch_is_refused(name):
    params = tensors()
    theirs = getattr(torch.optim, name)(params, lr=0.1)
    steps(theirs, params, range(2))
    with pytest.raises(ValueError, match="but this optimizer is Lion: "):
        optim.Lion(tensors()).load_state_dict(theirs.state_dict())


@pytest.mark.parametrize("name", [name for name in rules.ALL if hasattr(torch.optim, name) and name != "SparseAdam"])
def test_torchs_checkpoint_of_the_same_class_is_taken_without_a_word(name):
    params = tensors()
    theirs = getattr(torch.optim, name)(params)
    steps(theirs, params, range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(optim, name)(tensors()).load_state_dict(theirs.state_dict())


def test_adamw_stays_decoupled_whatever_it_loads():
    params, others = tensors(), tensors()
    kinds = torch.optim.Adam, torch.optim.AdamW
    saved = steps(made := kinds[0](params, lr=0.1, weight_decay=0.25), params, range(2)) and made.state_dict()
    with torch.no_grad():
        for p, q in zip(others, params, strict=True):
            p.copy_(q)
    ours, theirs = optim.AdamW(others), kinds[1](params)
    ours.load_state_dict(copy.deepcopy(saved))
    theirs.load_state_dict(copy.deepcopy(saved))
    for found, expected in zip(steps(ours, others, [2]), steps(theirs, params, [2]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=SINGLE, atol=1e-7)  # torch rounds twice where we use fma
    assert ours.param_groups[0]["decoupled_weight_decay"] is True
    arrays = gradstep.AdamW([np.ones(1)])
    arrays.load_state_dict(gradstep.Adam([np.ones(1)]).state_dict())
    assert arrays.param_groups[0]["decoupled_weight_decay"] is True


@each_layer
def test_the_checkpoints_options_win_and_one_warning_lists_them(layer):
    saved = Run(layer, "Adam", 2).saved()
    run = Run(layer, "Adam", clip_norm=1.5, ema=0.75, lr=0.5)
    with pytest.warns(UserWarning, match="options take the place") as caught:
        run.optimizer.load_state_dict(copy.deepcopy(saved))
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "group 0: clip_norm 1.5 -> None, ema 0.75 -> None; group 1: " in text
    assert caught[0].filename == __file__
    assert run.optimizer.param_groups[0]["clip_norm"] is None
    assert run.optimizer.param_groups[0]["lr"] == saved["param_groups"][0]["lr"]
    kept = Run(layer, "Adam", clip_norm=1.5, ema=0.75)
    for group in saved["param_groups"]:
        del group["clip_norm"], group["ema"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.optimizer.load_state_dict(copy.deepcopy(saved))
    assert kept.optimizer.param_groups[0]["clip_norm"] == 1.5


@each_layer
def test_a_warning_that_is_an_error_changes_nothing(layer):
    saved = Run(layer, "Adam", 2).saved()
    run = Run(layer, "Adam", 1, clip_norm=1.5)
    before = run.look()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            run.optimizer.load_state_dict(saved)
    assert run.look() == before
