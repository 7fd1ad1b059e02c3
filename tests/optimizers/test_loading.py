"""A ``state_dict`` is loaded completely or refused, by its class, its options and its numbers."""

import copy

import numpy as np
import pytest

import gradstep
from gradstep import rules
from support.arrays import normal
from support.cases import ONE_EACH
from support.injecting import assert_all_or_nothing, each_line, frozen

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from support.training import assert_all_same, steps, tensors  # noqa: E402

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


#: options whose different data loading replaces: counts, shared numbers, schedules, sums of micro-batches
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
def test_a_foreign_hook_that_raises(hook):
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
