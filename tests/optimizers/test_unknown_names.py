"""Unknown arguments of an optimizer: misspelt names, and other libraries' names of the same arguments."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch

import gradstep
from gradstep import optim, rules
from gradstep.rules import other_names

NAMES = ["lr", "weight_decay", "clip_norm", "clip_value", "accumulate", "cautious", "state_dtype", "skip_nonfinite"]


def misspellings(name):
    """Two neighbouring letters changed over, one left out, one doubled, underscores forgotten, and in capitals."""
    middle = len(name) // 2
    yield name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]
    yield name[:middle] + name[middle + 1 :]
    yield name[:middle] + name[middle] + name[middle:]
    yield name.replace("_", "")
    yield name.upper()


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_argument_is_told_what_it_means(name):
    for misspelt in set(misspellings(name)) - {name, "l", "rl"} - other_names._ELSEWHERE.keys():
        with pytest.raises(
            TypeError, match=f"^AdamW got an unexpected keyword argument '{misspelt}': did you mean '{name}'\\?$"
        ):
            gradstep.AdamW([np.ones(2)], **{misspelt: 1})


@pytest.mark.parametrize(
    ("rule", "name", "message"),
    [
        ("Adam", "learning_rate", "it is lr here"),
        ("Adam", "clipnorm", r"it is clip_norm here, the norm of all .* \(Keras's clipnorm is of each by itself\)"),
        ("Adam", "global_clipnorm", "it is clip_norm here"),
        ("Adam", "max_grad_norm", "it is clip_norm here"),
        ("Adam", "clipvalue", "it is clip_value here"),
        ("Adam", "beta_1", r"it is the first of betas here, betas=\(beta_1, beta_2\)"),
        ("Lion", "beta2", r"it is the second of betas here, betas=\(beta_1, beta_2\)"),
        ("SGD", "beta_1", "besides its hyper-parameters it takes .*"),
        ("Adam", "epsilon", "it is eps here"),
        ("Adam", "decay", r"a decay of the rate is a schedule, lr=gradstep\.InverseTimeDecay\(\.\.\.\); .*"),
        ("Adam", "use_ema", "pass the average's decay here, ema=0.99 for Keras's default"),
        ("Adam", "ema_momentum", "it is ema here, which also switches the average on"),
        ("RMSprop", "rho", "it is alpha here"),
        ("Adam", "gradient_accumulation_steps", "it is accumulate here"),
        ("Adam", "quack", "besides its hyper-parameters it takes maximize, .*, differentiable"),
    ],
)
def test_a_name_of_another_library_is_told_what_it_is_here(rule, name, message):
    with pytest.raises(TypeError, match=f"^{rule} got an unexpected keyword argument '{name}': {message}$"):
        getattr(gradstep, rule)([np.ones(2)], **{name: 0.5})


def test_what_stands_for_another_library_is_an_argument_of_some_rule():
    known = {name for rule in rules.ALL.values() for name in rule.default_group()}
    for name, entries in other_names._ELSEWHERE.items():
        assert {ours for ours, _ in entries} <= known, name
    assert set(other_names._ALIASES.values()) <= other_names._ELSEWHERE.keys()


def parameter():
    made = torch.nn.Parameter(torch.ones(2))
    made.grad = torch.ones(2)
    return made


def step_of_arrays(optimizer):
    optimizer.step([np.ones(2)] * len(optimizer.param_groups))


LAYERS = pytest.mark.parametrize(
    ("module", "new", "step"),
    [(gradstep, lambda: np.ones(2), step_of_arrays), (optim, parameter, lambda optimizer: optimizer.step())],
    ids=["arrays", "torch"],
)


@LAYERS
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("weightdecay", r"did you mean 'weight_decay'\?"),
        ("clip_nrom", r"did you mean 'clip_norm'\?"),
        ("learning_rate", "it is lr here"),
        ("max_grad_norm", "it is clip_norm here"),
    ],
)
def test_a_key_that_looks_like_an_option_is_told_once(module, new, step, key, said):
    message = rf"^Adam does not read group\['{key}'\]: {said}$"
    with pytest.warns(UserWarning, match=message) as told:
        optimizer = module.Adam([{"params": [new()], key: 0.1}, {"params": [new()], key: 0.1}])
    assert [each.filename for each in told] == [__file__]
    step(optimizer)  # warnings are errors in these tests
    optimizer.param_groups[0]["lr"] = 0.5
    step(optimizer)
    optimizer.add_param_group({"params": [new()], key: 0.2})
    assert optimizer.param_groups[0][key] == 0.1  # it stays: other code may use it
    with pytest.warns(UserWarning, match=message):  # of another optimizer
        module.Adam([{"params": [new()], key: 0.1}])


@LAYERS
def test_a_key_written_into_a_group_is_told_once(module, new, step):
    optimizer = module.Adam([new()])
    optimizer.param_groups[0]["clipnorm"] = 1.0
    with pytest.warns(UserWarning, match=r"^Adam does not read group\['clipnorm'\]: it is clip_norm here") as told:
        step(optimizer)
    assert len(told) == 1
    step(optimizer)


HOSTS = [
    *(
        "initial_lr",
        "max_lr",
        "min_lr",
        "swa_lr",
        "base_lr",
        "lr_scale",
        "param_names",
        "max_momentum",
        "base_momentum",
    ),
    *("min_momentum", "initial_weight_decay", "weight_decay_mult", "bias_correction", "name", "lr0", "rank", "decay"),
    *("betas_of_layer", "is_norm", "use_muon", "d0", "step"),
]


@LAYERS
@pytest.mark.parametrize("rule", ["SGD", "AdamW"])
def test_the_keys_of_hosts_are_left_alone(module, new, step, rule):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = getattr(module, rule)(
            [{"params": [new()], **dict.fromkeys(HOSTS, 0.5), "param_names": ["w"]}], lr=0.1
        )
        step(optimizer)


@LAYERS
def test_copies_and_checkpoints_know_nothing_of_what_was_told(module, new, step):
    with pytest.warns(UserWarning, match="did you mean 'weight_decay'"):
        optimizer = module.Adam([{"params": [new()], "weightdecay": 0.1}])
    assert "_seen_keys" not in pickle.loads(pickle.dumps(optimizer)).__getstate__()
    assert optimizer.state_dict().keys() == {"state", "param_groups"}
    with pytest.warns(UserWarning, match="did you mean 'weight_decay'"):
        step(copy.deepcopy(optimizer))
