"""Groups are added completely or not at all, and the cost of each does not grow with their number."""

import sys

import numpy as np
import pytest

import gradstep
from support.injecting import assert_all_or_nothing, each_line, frozen

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

#: options that each make different objects for a new group: schedules, states, hooks, counts
KINDS = {
    "plain": ("Adam", {}),
    "schedules": ("AdamW", {"lr": gradstep.Linear(0.1, 0.0, 10), "betas": (gradstep.Constant(0.5), 0.99)}),
    "states": ("Adagrad", {"initial_accumulator_value": 0.25}),
    "hooks": ("SGD", {"release": True}),
    "counts": ("SGD", {"accumulate": 2}),
    "shared numbers": ("Prodigy", {}),
}
CASES = [(layer, kind) for kind in KINDS for layer in ("arrays", "tensors") if (layer, kind) != ("arrays", "hooks")]
each_case = pytest.mark.parametrize(("layer", "kind"), CASES)
#: an interrupt for all, and for the plain ones two that the library raises itself
INJECTED = [(*case, KeyboardInterrupt) for case in CASES] + [
    (layer, "plain", exception) for layer in ("arrays", "tensors") for exception in (OverflowError, ValueError)
]
each_injected = pytest.mark.parametrize(("layer", "kind", "exception"), INJECTED)


class Subject:
    """Parameters, their groups, and an optimizer if one was made."""

    def __init__(self, layer, kind):
        self.name, self.options = KINDS[kind]
        self.tensors = layer == "tensors"
        self.parameters = [self.parameter(i) for i in range(4)]
        self.groups = [{"params": [p], "name": i} for i, p in enumerate(self.parameters)]
        self.optimizer = None

    def parameter(self, i):
        return torch.nn.Parameter(torch.full((3,), float(i))) if self.tensors else np.full(3, float(i))

    def make(self, groups):
        self.optimizer = getattr(optim if self.tensors else gradstep, self.name)(groups, **self.options)
        return self

    def step(self):
        gradients = [0.5 * (p.detach() if self.tensors else p) for p in self.parameters]
        joined = [id(p) for group in self.optimizer.param_groups for p in group["params"]]
        for p, gradient in zip(self.parameters, gradients, strict=True):
            if not self.tensors:
                continue
            if "accumulate" in self.options or ("release" in self.options and id(p) in joined):
                p.backward(gradient)
            else:
                p.grad = gradient
        self.optimizer.step(*([] if self.tensors else [gradients[: len(joined)]]))
        return self

    def look(self):
        groups = [] if self.optimizer is None else self.optimizer.param_groups
        states = {} if self.optimizer is None else self.optimizer.state
        found = [states.get(p) for p in self.parameters if p in states] if self.tensors else states
        hooks = [len(p._post_accumulate_grad_hooks or ()) if self.tensors else 0 for p in self.parameters]
        held = [{key: value for key, value in group.items() if key != "params"} for group in (*groups, *self.groups)]
        counts = [len(group["params"]) for group in groups]
        return repr(frozen([held, counts, found, hooks, self.parameters]))


def begin(layer, kind):
    """An optimizer over two of the groups that has made a step."""
    subject = Subject(layer, kind)
    return subject.make(subject.groups[:2]).step()


def add(subject):
    subject.optimizer.add_param_group(subject.groups[2])


@each_injected
def test_the_constructor_takes_all_groups_or_none(layer, kind, exception):
    assert_all_or_nothing(
        lambda: Subject(layer, kind),
        lambda subject: subject.make(subject.groups),
        Subject.look,
        exception=exception,
        repeats=1,
    )


@each_injected
def test_a_group_is_added_or_not(layer, kind, exception):
    assert_all_or_nothing(lambda: begin(layer, kind), add, Subject.look, exception=exception, repeats=1)


@each_case
def test_what_was_interrupted_goes_on(layer, kind):
    never = begin(layer, kind)
    add(never)
    expected = never.step().look()
    for place, subject, _ in each_line(lambda: begin(layer, kind), add, repeats=1):
        if len(subject.optimizer.param_groups) == 2:
            add(subject)
        assert subject.step().look() == expected, place


@pytest.mark.parametrize("layer", ["arrays", "tensors"])
def test_a_number_beyond_float64_adds_nothing(layer):
    subject = begin(layer, "plain")
    before = subject.look()
    subject.groups[2]["lr"] = 10**400
    with pytest.raises((ValueError, OverflowError)):
        add(subject)
    del subject.groups[2]["lr"]
    assert subject.look() == before


def test_torchs_words_for_groups_that_do_not_go_together():
    first, second, third = (torch.nn.Parameter(torch.zeros(1)) for _ in range(3))
    for groups, message in [
        ([{"params": [first]}, {"params": [second]}, {"params": [third, first]}], "more than one parameter group"),
        ([{"params": [("a", first)]}, {"params": [second]}], "with/without names"),
        ([{"params": [first]}, {"params": {second}}], "organized in ordered collections"),
        ([{"params": [first]}, {"params": [second * 2]}], "non-leaf"),
    ]:
        given = [dict(group) for group in groups]
        for kind in (torch.optim.SGD, optim.SGD):
            with pytest.raises((TypeError, ValueError), match=message):
                kind([dict(group) for group in groups], lr=0.5)
        with pytest.raises((TypeError, ValueError), match=message):
            optim.SGD(groups, lr=0.5)
        assert groups == given


def test_a_subclass_sees_each_group_as_torchs_do():
    def named(kind):
        class Named(kind):
            def add_param_group(self, param_group):
                super().add_param_group(param_group)
                self.param_groups[-1]["name"] = f"group {len(self.param_groups)}"

        return Named

    def names(kind):
        parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
        optimizer = named(kind)([{"params": [p]} for p in parameters[:2]], lr=0.5)
        optimizer.add_param_group({"params": parameters[2]})
        return [group["name"] for group in optimizer.param_groups]

    assert names(optim.SGD) == names(torch.optim.SGD) == ["group 1", "group 2", "group 3"]


def work(call):
    """The number of lines of Python that a call executes, in all modules."""
    lines = 0

    def count(frame, event, _):
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


def of_groups(layer, name, count, **options):
    """The work of making an optimizer over so many groups, of its first step, and of its second."""
    tensors = layer == "tensors"
    parameters = [torch.nn.Parameter(torch.zeros(1)) if tensors else np.zeros(1) for _ in range(count)]
    made = []
    groups = [{"params": [p]} for p in parameters]
    making = work(lambda: made.append(getattr(optim if tensors else gradstep, name)(groups, **options)))
    for p in parameters if tensors else ():
        p.grad = torch.ones(1)
    arguments = [] if tensors else [[np.ones(1)] * count]
    first, second = (work(lambda: made[0].step(*arguments)) for _ in range(2))

    def write():
        for group in made[0].param_groups:
            group["lr"] = gradstep.Linear(0.1, 0.05, 10)
        made[0].step(*arguments)

    return making, first, second, work(write)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {}),
        ("Prodigy", {}),
        ("SGD", {"lr": gradstep.Linear(0.1, 0.0, 10)}),
        ("SGD", {"lr": np.array(0.1)}),
        ("SGD", {"accumulate": 2}),
        ("Adagrad", {}),
    ],
)
@pytest.mark.parametrize("layer", ["arrays", "tensors"])
def test_the_work_grows_with_the_groups_and_not_with_their_square(layer, name, options):
    of_groups(layer, name, 2, **options)  # fills all caches
    few, many = of_groups(layer, name, 40, **options), of_groups(layer, name, 160, **options)
    for done, more in zip(few, many, strict=True):
        assert more <= 4.2 * done  # 4 times, and no more for a part that grew with the square than a twentieth
