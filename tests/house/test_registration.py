"""Every rule is an optimizer over arrays, one over torch parameters and a function, with all arguments by name."""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch

import gradstep
from gradstep import _core, functional, optim, optimizers, rules
from gradstep.rules.base import Rule
from gradstep.rules.fields import Betas, Decay, Rate, Switch
from gradstep.rules.options import OPTION_DEFAULTS
from support import rules_of_tests

each_rule = pytest.mark.parametrize("name", rules.ALL)


def made(name):
    """The optimizers of a rule, over arrays and over parameters."""
    return getattr(gradstep, name)([np.ones(2)]), getattr(optim, name)([torch.nn.Parameter(torch.ones(2))])


def positional(function):
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]


def test_all_rules_are_in_alphabetical_order():
    assert list(rules.ALL) == sorted(rules.ALL, key=str.casefold)
    assert not set(rules.ALL) & {"Rule", *(each.__name__ for each in rules_of_tests.OfTests.__subclasses__())}


def test_each_rule_of_the_core_is_declared():
    kernels = {name for name in _core.rules() if name != "interpolation"} - set(rules_of_tests.NAMES)
    declared = {
        rule.kernel({**rule.default_group(), **dict.fromkeys(rule.switches(), on), **momentum}).rule
        for rule in rules.ALL.values()
        for on in (False, True)
        for momentum in ({}, {"momentum": 0.0}, {"momentum": 0.5})
    }
    assert declared == kernels


@each_rule
def test_a_rule_is_offered_everywhere(name):
    for module in (gradstep, optimizers, optim):
        found = getattr(module, name)
        assert issubclass(found, rules.ALL[name])
        assert found.__qualname__ == name
        assert found.__doc__ == rules.ALL[name].__doc__
        assert name in dir(module)
    assert getattr(gradstep, name).__module__ == "gradstep.optimizers"
    assert getattr(optim, name).__module__ == "gradstep.optim"
    update = getattr(functional, f"{name.lower()}_")
    assert pickle.loads(pickle.dumps(update)) is update


@each_rule
def test_classes_and_optimizers_are_pickled(name):
    for optimizer in made(name):
        assert pickle.loads(pickle.dumps(type(optimizer))) is type(optimizer)
        for other in (pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)):
            assert type(other) is type(optimizer)
            assert other.param_groups[0].keys() == optimizer.param_groups[0].keys()


@each_rule
def test_every_argument_is_shown_by_name_with_its_type_and_default(name):
    for optimizer in made(name):
        arguments = dict(inspect.signature(type(optimizer)).parameters)
        del arguments["params"]
        group = optimizer.param_groups[0]
        assert {*rules.ALL[name].own_defaults(), *OPTION_DEFAULTS} == set(arguments)
        for key, argument in arguments.items():
            assert argument.default == group[key]
            assert argument.annotation not in (argument.empty, "Any")
    shown = inspect.signature(getattr(functional, f"{name.lower()}_")).parameters
    assert set(arguments) <= set(shown)


@pytest.mark.parametrize("name", [name for name in rules.ALL if hasattr(torch.optim, name)])
def test_positions_are_those_of_torch(name):
    theirs = positional(getattr(torch.optim, name))
    assert positional(getattr(optim, name))[: len(theirs)] == theirs


def test_an_argument_by_its_position():
    assert gradstep.AdamW([np.ones(2)], 0.5, (0.8, 0.9)).defaults["betas"] == (0.8, 0.9)
    assert gradstep.SparseAdam([np.ones(2)], 0.5, (0.8, 0.9), 1e-3, True).defaults["maximize"] is True


@pytest.mark.parametrize(
    ("given", "named", "message"),
    [
        ((), {}, r"^Adam got no params: pass the arrays or parameters to update$"),
        (([], 0.1), {"lr": 0.1}, r"^Adam got 'lr' twice, by its position and by its name: pass one of them$"),
        (
            ([], 0.1, (0.9, 0.9), 0.1, 0.1, False, True),
            {},
            r"^Adam takes 6 arguments by position, got 7: pass the rest by name$",
        ),
        (
            ([],),
            {"momentum": 0.1},
            r"^Adam got an unexpected keyword argument 'momentum': besides its hyper",
        ),
    ],
)
def test_refused_arguments(given, named, message):
    with pytest.raises(TypeError, match=message):
        gradstep.Adam(*given, **named)


@each_rule
def test_an_optimizer_has_no_attribute_that_looks_like_its_rate(name):
    for optimizer in made(name):
        assert not hasattr(optimizer, "lr")


def test_a_rule_without_a_default_is_refused():
    with pytest.raises(TypeError, match=r"^Bare\.betas has no default: every hyper-parameter has one$"):

        class Bare(Rule):
            lr: Rate = 0.1
            betas: Betas


def test_a_rule_without_a_rate_is_refused():
    with pytest.raises(TypeError, match=r"^Still must declare lr and weight_decay, as annotations that are no"):

        class Still(Rule):
            weight_decay: Decay = 0
            amsgrad: Switch = False

            @classmethod
            def kernel(cls, group):
                raise NotImplementedError
