"""Errors for arguments that are not parameters or gradients say what to pass; dicts of arrays are accepted."""

import copy
import re

import numpy as np
import pytest

import gradstep
from gradstep import checkpoint
from support.arrays import assert_same_bits, normal

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402


def library(name):
    return pytest.importorskip(name)


def array():
    return np.zeros(3, np.float32)


def linear():
    return torch.nn.Linear(2, 2)


def used_up():
    parameters = linear().parameters()
    list(parameters)
    return parameters


def over_arrays(params):
    return gradstep.Adam(params)


def over_tensors(params):
    return optim.Adam(params)


MODEL = "params is a Linear: pass what it trains, gradstep.optim.Adam(model.parameters(), ...)"
METHOD = "params is a method: call it, as in model.parameters()"
USED_UP = "a generator such as model.parameters() can be used once, call it again or keep list(model.parameters())"
PANDAS = "pass .to_numpy(copy=True) of it"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: over_arrays(linear()), TypeError, MODEL),
        (lambda: over_tensors(linear()), TypeError, MODEL),
        (lambda: over_arrays(linear().parameters), TypeError, METHOD),
        (lambda: over_tensors(linear().parameters), TypeError, METHOD),
        (lambda: over_arrays(used_up()), ValueError, USED_UP),
        (lambda: over_tensors(used_up()), ValueError, USED_UP),
        (lambda: over_arrays("w"), TypeError, "params is the text 'w': pass a list of arrays or tensors"),
        (lambda: over_tensors("w"), TypeError, "params is the text 'w': pass a list of arrays or tensors"),
        (lambda: over_arrays({}), ValueError, "optimizer got an empty parameter list: pass the arrays to update"),
        (lambda: over_arrays([{"params": {}}]), ValueError, "optimizer got an empty parameter list"),
        (lambda: over_arrays({"params": [array()]}), TypeError, "params is one group: pass a list of groups"),
        (lambda: over_arrays(library("pandas").Series(array())), TypeError, "params is one Series: pass a list"),
        (
            lambda: over_arrays(library("pandas").DataFrame({"x": array()})),
            TypeError,
            "params is one DataFrame: pass a",
        ),
        (
            lambda: over_arrays([library("pandas").Series(array())]),
            TypeError,
            f"parameter 0 is a pandas.Series: {PANDAS}",
        ),
        (
            lambda: over_arrays([array(), library("jax").numpy.zeros(3)]),
            TypeError,
            "parameter 1 is an array of jax, which never changes in place: pass w = numpy.array(x)",
        ),
        (lambda: over_arrays({0: array()}), TypeError, "the parameters have the name 0: a name must be a text"),
        (
            lambda: over_arrays([{"params": {"w": array()}}, {"params": {"w": array()}}]),
            ValueError,
            "several parameters are named 'w': give each a name of its own",
        ),
    ],
)
def test_what_is_no_list_of_parameters(call, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        call()


def over_names():
    return over_arrays({"w": normal(0, 3), "b": normal(1, 2)})


@pytest.mark.parametrize(
    ("make", "gradients", "kind", "message"),
    [
        (
            over_names,
            None,
            TypeError,
            "step needs the gradients, step([...]) with one, or None, for each parameter: only ",
        ),
        (over_names, None, TypeError, "gradstep.optim.Adam takes those that backward() leaves in torch's parameters"),
        (
            lambda: over_arrays(linear().parameters()),
            None,
            TypeError,
            "gradstep.optim.Adam takes those that backward() leaves in torch's parameters",
        ),
        (
            lambda: over_arrays([array()]),
            array(),
            TypeError,
            "gradients is one ndarray: pass a list, such as [gradient",
        ),
        (lambda: over_arrays([array()]), [], ValueError, "step got 0 gradients for 1 parameters: pass one, or None"),
        (over_names, {"w": normal(2, 3)}, ValueError, "step got no gradient for 'b': pass one, or None, for each of"),
        (
            over_names,
            {"w": normal(2, 3), "b": None, "W": normal(2, 3)},
            ValueError,
            "step got gradients for 'W', which are no parameters: pass one, or None, for each of 'w', 'b'",
        ),
        (
            over_names,
            {"w": None, "B": None},
            ValueError,
            "step got no gradient for 'b' and gradients for 'B', which are no parameters",
        ),
        (
            lambda: over_arrays([array()]),
            {"w": array()},
            TypeError,
            "the gradients have names and the parameters have n",
        ),
    ],
)
def test_what_is_no_list_of_gradients(make, gradients, kind, message):
    optimizer = make()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(kind, match=re.escape(message)):
        optimizer.step(gradients)
    assert repr(optimizer.state_dict()) == repr(before)


def test_a_gradient_of_pandas():
    with pytest.raises(TypeError, match=re.escape(f"the gradient of parameter 0 is a pandas.Series: {PANDAS}")):
        over_arrays([array()]).step([library("pandas").Series(array())])


def test_gradients_of_jax_are_only_read():
    w, twin = array(), array()
    over_arrays([w]).step([library("jax").numpy.ones(3)])
    over_arrays([twin]).step([np.ones(3, np.float32)])
    assert_same_bits(w, twin)


@pytest.mark.parametrize("as_groups", [False, True])
def test_parameters_and_gradients_by_name(as_groups, tmp_path):
    named = {"w": normal(0, 3), "b": normal(1, 2), "c": normal(2, 4)}
    listed = copy.deepcopy(list(named.values()))
    groups = [{"params": {"w": named["w"]}, "lr": 0.5}, {"params": {name: named[name] for name in "bc"}}]
    optimizer = over_arrays(groups if as_groups else named)
    twin = over_arrays([{"params": listed[:1], "lr": 0.5}, {"params": listed[1:]}] if as_groups else listed)
    assert [name for group in optimizer.param_groups for name in group["param_names"]] == ["w", "b", "c"]
    gradients = [normal(3, 3), None, normal(4, 4)]
    by_name = dict(zip(reversed("wbc"), reversed(gradients), strict=True))
    for _ in range(3):
        optimizer.step(by_name)
        twin.step(gradients)
    for one, other in zip(named.values(), listed, strict=True):
        assert_same_bits(one, other)
    checkpoint.save(tmp_path / "run.npz", optimizer=optimizer)
    resumed = over_arrays(copy.deepcopy(groups) if as_groups else copy.deepcopy(named))
    checkpoint.restore(tmp_path / "run.npz", optimizer=resumed)
    resumed.step(by_name)
    optimizer.step(by_name)
    for one, other in zip(resumed.state, optimizer.state, strict=True):
        assert one.keys() == other.keys()
        for state in one:
            assert_same_bits(np.asarray(one[state]), np.asarray(other[state]))


def test_loading_keeps_the_names_of_the_program():
    saved, optimizer = over_names(), over_arrays({"u": normal(0, 3), "v": normal(1, 2)})
    optimizer.load_state_dict(saved.state_dict())
    optimizer.step({"u": normal(2, 3), "v": None})


def test_a_used_up_generator_in_a_group_is_told():
    group = {"params": torch.nn.Linear(3, 1).parameters()}
    with pytest.warns(UserWarning, match="a parameter group is empty, its generator was used up before") as caught:
        optimizer = over_tensors([group, {"params": used_up()}])
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="a parameter group is empty"):
        optimizer.add_param_group({"params": used_up()})
    optimizer.add_param_group({"params": []})  # as a host's groups may be
    assert [len(group["params"]) for group in optimizer.param_groups] == [2, 0, 0, 0]
