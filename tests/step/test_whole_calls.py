"""Calls other than the ordinary step: an exception at any of their lines leaves all of the call done, or nothing."""

import numpy as np
import pytest
import torch

import gradstep
from gradstep import functional, optim, rules
from support.arrays import normal, to_torch
from support.injecting import assert_all_or_nothing, each_line, frozen

SIZE = 5
EXCEPTIONS = [KeyboardInterrupt, MemoryError, OverflowError]
each_library = pytest.mark.parametrize("library", ["numpy", "torch"])


def arrays(library, *seeds, shape=(SIZE,)):
    made = [normal(seed, shape) for seed in seeds]
    return made if library == "numpy" else [to_torch(array) for array in made]


def versions(found):
    return [array._version for array in found if isinstance(array, torch.Tensor)]


def seen(found):
    return [found, versions(found)]


# -- functions


UPDATES = [getattr(rules, name) for name in rules.ALL]


@each_library
@pytest.mark.parametrize("rule", UPDATES, ids=lambda rule: rule.__name__)
def test_updates(rule, library):
    update = getattr(functional, f"{rule.__name__.lower()}_")
    group = rule.default_group()
    names = rule.kernel(group).arrays

    def make():
        made = arrays(library, 1, 2, *(3 + i for i in range(len(names))))
        numbers = [np.full((), 0.5) for _ in rule.numbers[1:]]
        return [*made, *(numbers if library == "numpy" else map(torch.from_numpy, numbers))]

    assert_all_or_nothing(make, lambda given: update(*given, step=2), seen, repeats=1)


AROUND = {
    "unscale_": lambda x: functional.unscale_(x, 2.0),
    "clip_norm_": lambda x: functional.clip_norm_(x, 0.1),
    "clip_value_": lambda x: functional.clip_value_(x, 0.1),
    "zero_": lambda x: functional.zero_(x),
    "average_": lambda x: functional.average_(x[:2], x[2:4], 0.5, x[4]),
    "cast_": lambda x: functional.cast_(x[:2], x[2:4]),
}


@each_library
@pytest.mark.parametrize("name", AROUND)
def test_standalone_functions(name, library):
    def make():
        return [*arrays(library, 1, 2, 3, 4), *arrays(library, 5, shape=())]

    assert_all_or_nothing(make, AROUND[name], seen)


# -- of an optimizer


class Trained:
    """An optimizer over two parameters after some steps, and all that can be seen of it."""

    def __init__(self, library, name="Adam", steps=2, **options):
        self.library = library
        self.parameters = arrays(library, 1, 2, shape=(4, 3))
        self.optimizer = getattr(optim if library == "torch" else gradstep, name)(self.parameters, **options)
        for t in range(steps):
            self.give(*arrays(library, 10 * t + 3, 10 * t + 4, shape=(4, 3)))
            self.step()

    def give(self, *gradients):
        self.gradients = list(gradients)
        if self.library == "torch":
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient

    def step(self):
        self.optimizer.step(*([self.gradients] if self.library == "numpy" else []))

    def look(self):
        optimizer = self.optimizer
        torch_states = [optimizer.state.get(p) for p in self.parameters] if self.library == "torch" else None
        states = torch_states or optimizer.state
        groups = [{key: value for key, value in g.items() if key != "params"} for g in optimizer.param_groups]
        held = [value for state in states for value in (state or {}).values()]
        gradients = [p.grad for p in self.parameters] if self.library == "torch" else self.gradients
        return [self.parameters, states, groups, gradients, versions([*self.parameters, *held]), optimizer._swap.is_in]


@each_library
def test_loading_averages(library):
    def make():
        trained = Trained(library, ema=0.5)
        trained.saved = {i: 1 + array for i, array in trained.optimizer.averages.state_dict().items()}
        return trained

    assert_all_or_nothing(make, lambda t: t.optimizer.averages.load_state_dict(t.saved), Trained.look)


def swap(trained):
    trained.swapped = trained.optimizer.averages.swapped_in()
    trained.swapped.__enter__()


@each_library
def test_swapping_averages_in(library):
    # Versions are not compared: putting the parameters back after an exception counts as a write.
    assert_all_or_nothing(lambda: Trained(library, ema=0.5), swap, lambda trained: trained.look()[:4])
    trained = Trained(library, ema=0.5)
    expected = frozen(trained.parameters)

    def evaluate():
        with trained.optimizer.averages.swapped_in():
            assert frozen(trained.parameters) == frozen(trained.optimizer.averages.arrays()) != expected
            raise OverflowError

    with pytest.raises(OverflowError):
        evaluate()
    assert frozen(trained.parameters) == expected


@each_library
def test_an_exception_while_averages_are_swapped_out(library):
    def make():
        trained = Trained(library, ema=0.5)
        trained.expected = frozen(trained.parameters)
        swap(trained)
        return trained

    for _, trained, raised in each_line(make, lambda trained: trained.swapped.__exit__(None, None, None)):
        assert isinstance(raised, KeyboardInterrupt)
        if frozen(trained.parameters) != trained.expected or trained.optimizer._swap.is_in:
            with pytest.raises(RuntimeError, match="the parameters are their averages now"):
                trained.step()


@each_library
def test_averages_swapped_in_twice(library):
    trained = Trained(library, ema=0.5)
    with trained.optimizer.averages.swapped_in():
        with trained.optimizer.averages.swapped_in():
            pass
        with pytest.raises(RuntimeError, match="the parameters are their averages now"):
            trained.step()
    trained.step()


@each_library
def test_modes_of_evaluation(library):
    def make():
        return Trained(library, "ScheduleFreeAdamW")

    def evaluating():
        trained = make()
        trained.optimizer.eval()
        return trained

    assert_all_or_nothing(make, lambda trained: trained.optimizer.eval(), Trained.look)
    assert_all_or_nothing(evaluating, lambda trained: trained.optimizer.train(), Trained.look)


def lagging(library):
    trained = Trained(library, "Adam", lazy_rows=True, weight_decay=0.1)
    for row in (0, 1, 2):
        values = normal(row, (1, 3))
        trained.give(*(rows(library, row, values) for _ in range(2)))
        trained.step()
    return trained


def rows(library, row, values):
    if library == "numpy":
        return gradstep.Rows(np.array([row]), values)
    return torch.sparse_coo_tensor(torch.tensor([[row]]), to_torch(values), (4, 3))


def unseen_gradients(trained):
    found = trained.look()
    found[3] = None
    return found


@each_library
def test_catching_up(library):
    assert_all_or_nothing(lambda: lagging(library), lambda t: t.optimizer.catch_up(), unseen_gradients)


@each_library
def test_a_step_of_rows_that_lag(library):
    assert_all_or_nothing(lambda: lagging(library), Trained.step, unseen_gradients)


# -- of objects that drive a rate


@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("kind", [gradstep.Plateau, gradstep.Explore], ids=lambda kind: kind.__name__)
def test_reports(kind, attached):
    class Reported:
        def __init__(self):
            if attached:
                parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
                self.groups = torch.optim.SGD([{"params": [p]} for p in parameters], lr=0.1)
                self.optimizer = gradstep.attach(self.groups, lr=gradstep.Linear(0.1, 0.01, 5))
            else:
                groups = [{"params": [np.zeros(2)]}, {"params": [np.ones(2)], "lr": 0.5}]
                self.optimizer = gradstep.SGD(groups, lr=gradstep.Linear(0.1, 0.01, 5))
            self.scale = kind(patience=0)
            for metric in (1.0, 0.5):
                self.scale.step(metric, self.optimizer)

        def look(self):
            groups = [{key: value for key, value in g.items() if key != "params"} for g in self.optimizer.param_groups]
            return [groups, self.scale.state_dict(), getattr(self.optimizer, "updates", None)]

    assert_all_or_nothing(Reported, lambda r: r.scale.step(2.0, r.optimizer), Reported.look)
    assert_all_or_nothing(Reported, lambda r: r.scale.update(2.0), Reported.look)
