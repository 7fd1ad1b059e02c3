"""A ``state_dict`` is taken as a whole or refused: of which class it is, what it changes, and what its numbers are."""

import copy
import warnings

import numpy as np
import pytest

import gradstep
from arrays import normal
from cases import DEFAULTS, ONE_EACH
from gradstep import rules
from injecting import assert_all_or_nothing, each_line, frozen

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from training import assert_all_same, steps, tensors  # noqa: E402

LAYERS = ["arrays", "tensors"]
each_layer = pytest.mark.parametrize("layer", LAYERS)


class Run:
    """An optimizer of either layer that has made some steps."""

    def __init__(self, layer, name, count=0, seed=0, **options):
        self.layer = layer
        self.params = (
            tensors((3, 4), seed) if layer == "tensors" else [normal(seed + i, n) for i, n in enumerate((3, 4))]
        )
        groups = [{"params": [p]} for p in self.params]
        self.optimizer = getattr(optim if layer == "tensors" else gradstep, name)(groups, **options)
        self.go_on(range(count))

    def go_on(self, times):
        for t in times:
            given = [normal(10 * t + i, n) for i, n in enumerate((3, 4))]
            if self.layer == "arrays":
                self.optimizer.step(given)
                continue
            for p, gradient in zip(self.params, given, strict=True):
                p.grad = None if not self.optimizer.accumulated else p.grad
                p.backward(torch.from_numpy(gradient))
            self.optimizer.step()
        return self

    def saved(self):
        return copy.deepcopy(self.optimizer.state_dict())

    def look(self):
        optimizer = self.optimizer
        states = [optimizer.state.get(p) for p in self.params] if self.layer == "tensors" else optimizer.state
        groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
        gradients = [p.grad for p in self.params] if self.layer == "tensors" else []
        return repr(frozen([self.params, states, groups, gradients, optimizer.accumulated]))


#: each with something else that loading replaces: counts, shared numbers, schedules, sums in the middle of an update
LOADED = {
    "plain": ("Adam", {}),
    "shared numbers": ("Prodigy", {}),
    "schedules": ("AdamW", {"lr": gradstep.Linear(0.1, 0.0, 10), "betas": (gradstep.Constant(0.5), 0.99)}),
    "sums": ("SGD", {"lr": 0.1, "momentum": 0.5, "accumulate": 3}),
    "averages": ("RMSprop", {"ema": 0.75, "ema_bias_correction": True, "cast_to": "f16"}),
}
INJECTED = [(layer, kind, KeyboardInterrupt) for layer in LAYERS for kind in LOADED] + [
    (layer, "sums", exception) for layer in LAYERS for exception in (MemoryError, ValueError)
]


@pytest.mark.parametrize(("layer", "kind", "exception"), INJECTED)
def test_a_state_dict_is_loaded_or_not(layer, kind, exception):
    name, options = LOADED[kind]
    saved = Run(layer, name, 5, **options).saved()

    def make():
        return Run(layer, name, 2, seed=7, **options)

    def load(run):
        run.optimizer.load_state_dict(copy.deepcopy(saved))

    assert_all_or_nothing(make, load, Run.look, exception=exception, repeats=1)
    expected = make()
    load(expected)
    expected.go_on(range(5, 9))
    for place, run, _ in each_line(make, load, exception=exception, repeats=1):
        load(run)
        assert run.go_on(range(5, 9)).look() == expected.look(), place


@pytest.mark.parametrize("hook", ["pre", "post"])
def test_a_hook_of_somebody_else_that_raises(hook):
    saved = Run("tensors", "Adam", 3).saved()
    run, twin, done = Run("tensors", "Adam", 1), Run("tensors", "Adam", 1), Run("tensors", "Adam", 1)
    done.optimizer.load_state_dict(saved)

    def raise_it(*_):
        raise KeyboardInterrupt

    getattr(run.optimizer, f"register_load_state_dict_{hook}_hook")(raise_it)
    with pytest.raises(KeyboardInterrupt):
        run.optimizer.load_state_dict(saved)
    assert run.look() == (twin if hook == "pre" else done).look()


def test_torchs_hooks_see_and_change_what_is_loaded():
    saved = Run("tensors", "Adam", 3).saved()
    run, seen = Run("tensors", "Adam"), []

    def halve(optimizer, state_dict):
        groups = [{**group, "lr": group["lr"] / 2} for group in state_dict["param_groups"]]
        return {**state_dict, "param_groups": groups}

    run.optimizer.register_load_state_dict_pre_hook(halve)
    run.optimizer.register_load_state_dict_post_hook(lambda optimizer: seen.append(optimizer.param_groups[0]["lr"]))
    run.optimizer.load_state_dict(saved)
    assert seen == [saved["param_groups"][0]["lr"] / 2]


#: classes that take each other's, as torch's do
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
    for name in rules.__all__:
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


@pytest.mark.parametrize(
    "name", [name for name in rules.__all__ if hasattr(torch.optim, name) and name != "SparseAdam"]
)
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
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)  # torch rounds twice where we use fma
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


STEPS = {
    "of shape (1,)": lambda: torch.tensor([3.0]),
    "an integer tensor": lambda: torch.tensor(3),
    "an int": lambda: 3,
    "a float": lambda: 3.0,
    "of NumPy": lambda: np.array(3),
    "of NumPy, of shape (1,)": lambda: np.array([3.0], np.float32),
    "a number of NumPy": lambda: np.int64(3),
    "of 16 bits": lambda: torch.tensor(3, dtype=torch.float16),
}


@pytest.mark.parametrize("kind", STEPS)
@each_layer
def test_steps_as_other_versions_have_them(layer, kind):
    run, twin = Run(layer, "Adam", 3), Run(layer, "Adam", 3)
    saved = run.saved()
    for state in saved["state"].values():
        state["step"] = STEPS[kind]()
    run.optimizer.load_state_dict(saved)
    assert run.go_on([3, 4]).look() == twin.go_on([3, 4]).look()


@pytest.mark.parametrize("step", [float("nan"), float("inf"), -1.0, 2.5, 2.0**60, "3", True, [1.0, 2.0]])
@each_layer
def test_a_step_that_counts_nothing_is_refused(layer, step):
    run = Run(layer, "Adam", 3)
    saved, before = run.saved(), run.look()
    saved["state"][1]["step"] = torch.tensor(step) if layer == "tensors" and isinstance(step, float | list) else step
    message = r"the state 'step' of parameter 1 is .*: it counts updates and must be a whole number from 0 to 2\*\*53"
    with pytest.raises(ValueError, match=message):
        run.optimizer.load_state_dict(saved)
    assert run.look() == before


@pytest.mark.parametrize("case", [case for case in ONE_EACH if len(getattr(rules, case.name).numbers) > 1], ids=str)
@each_layer
def test_numbers_that_are_none_are_refused(layer, case):
    run = Run(layer, case.name, 2)
    for name in getattr(rules, case.name).numbers[1:]:
        for value in (float("nan"), float("inf")):
            saved = run.saved()
            saved["state"][0][name] = value
            with pytest.raises(
                ValueError, match=rf"the state '{name}' of parameter 0 is {value}: it must be one finite"
            ):
                run.optimizer.load_state_dict(saved)


@each_layer
def test_other_groups_and_shapes_are_refused(layer):
    run = Run(layer, "Adam", 2)
    saved, before = run.saved(), run.look()
    saved["state"][1]["exp_avg"] = saved["state"][0]["exp_avg"]
    with pytest.raises(ValueError, match=r"the state 'exp_avg' of parameter 1 has shape \(3,\), but the parameter has"):
        run.optimizer.load_state_dict(saved)
    saved = run.saved()
    saved["state"][1]["exp_avg"] = saved["state"][1]["step"]
    with pytest.raises(ValueError, match=r"the state 'exp_avg' of parameter 1 has shape \(\), but the parameter has"):
        run.optimizer.load_state_dict(saved)
    saved = run.saved()
    saved["param_groups"].pop()
    with pytest.raises(ValueError, match="loaded state dict has"):
        run.optimizer.load_state_dict(saved)
    assert run.look() == before


@pytest.mark.parametrize("options", [{}, {"ema": 0.5}, {"accumulate": 2}], ids=str)
@pytest.mark.parametrize("complex_first", [True, False])
@each_layer
def test_real_states_of_complex_parameters_are_refused(layer, complex_first, options):
    def run(kind, steps):
        array = np.ones(3, kind)
        if layer == "arrays":
            optimizer = gradstep.Adam([array], **options)
            for _ in range(steps):
                optimizer.step([np.ones(3, kind)])
            return optimizer
        p = torch.nn.Parameter(torch.from_numpy(array))
        optimizer = optim.Adam([p], **options)
        for _ in range(steps):
            p.grad = torch.ones_like(p)
            optimizer.step()
        return optimizer

    kinds = (np.complex64, np.float32) if complex_first else (np.float32, np.complex64)
    names = ("complex", "real") if complex_first else ("real", "complex")
    saved, optimizer = run(kinds[0], 1).state_dict(), run(kinds[1], 0)
    before = repr(frozen(optimizer.state_dict()["param_groups"]))
    message = rf"the state '\w+' of parameter 0 is {names[0]}, but the parameter is {names[1]}: both must be"
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(saved)
    assert repr(frozen(optimizer.state_dict()["param_groups"])) == before
    assert not any(optimizer.state if layer == "arrays" else optimizer.state.values())


def test_arrays_of_numpy_are_taken_by_tensors():
    over, run = Run("arrays", "NAdam", 3), Run("tensors", "NAdam")
    with torch.no_grad():
        for p, array in zip(run.params, over.params, strict=True):
            p.copy_(torch.from_numpy(array))
    run.optimizer.load_state_dict(over.saved())
    for run_ in (over, run):
        run_.go_on(range(3, 6))
    assert_all_same([p.detach().numpy() for p in run.params], over.params)


def test_what_is_loaded_is_nobody_elses():
    params = tensors()
    optimizer = optim.SGD(params, lr=torch.tensor(0.5), momentum=0.5)
    steps(optimizer, params, range(2))
    saved = optimizer.state_dict()
    twin = optim.SGD(tensors(), lr=0.5, momentum=0.5)
    twin.load_state_dict(saved)
    optimizer.param_groups[0]["lr"].fill_(0.25)
    saved["state"][0]["momentum_buffer"].zero_()
    assert float(twin.param_groups[0]["lr"]) == 0.5
    assert twin.state[twin.param_groups[0]["params"][0]]["momentum_buffer"].any()
