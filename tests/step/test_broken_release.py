"""An exception in a backward pass that updates, and in the step that counts it."""

import sys

import pytest

import gradstep
from support.arrays import normal, to_torch
from support.injecting import assert_all_or_nothing, each_line, frozen

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

SIZES = (5, 7)
RATE = gradstep.Linear(0.1, 0.01, 5)


class Run:
    """An optimizer that releases gradients, or a twin that is given them, before its second update."""

    def __init__(self, release=True):
        self.parameters = [torch.nn.Parameter(to_torch(normal(seed, n))) for seed, n in enumerate(SIZES)]
        self.optimizer = optim.Adam(self.parameters, lr=RATE, ema=0.5, release=release)
        self.backward(0)
        self.optimizer.step()

    def gradients(self, t):
        return [to_torch(normal(10 * t + 5 + seed, n)) for seed, n in enumerate(SIZES)]

    def backward(self, t):
        self.optimizer.zero_grad()
        sum((p * g).sum() for p, g in zip(self.parameters, self.gradients(t), strict=True)).backward()

    def look(self):
        states = [self.optimizer.state[p] for p in self.parameters]
        groups = [{key: value for key, value in g.items() if key != "params"} for g in self.optimizer.param_groups]
        versions = [p._version for p in self.parameters]
        return [self.parameters, states, [p.grad for p in self.parameters], groups, versions]

    def of_parameter(self, i):
        p = self.parameters[i]
        return frozen([p, self.optimizer.state[p]])


def test_an_exception_at_each_line_of_a_pass():
    # Each parameter has been updated or not; the step applies what is left, and training goes on as if the others had
    # had no gradient.
    before, after = Run(), Run()
    after.backward(1)
    both = [(before.of_parameter(i), after.of_parameter(i)) for i in range(len(SIZES))]
    for place, run, raised in each_line(Run, lambda run: run.backward(1)):
        assert isinstance(raised, KeyboardInterrupt), place
        updated = []
        for i, pair in enumerate(both):
            assert run.of_parameter(i) in pair, place
            if run.of_parameter(i) == pair[1]:
                updated.append(i)
        for note in getattr(raised, "__notes__", ()):
            assert f"updated parameters {updated} in this backward pass" in note, place
        twin = Run(release=False)
        for i, (p, gradient) in enumerate(zip(twin.parameters, twin.gradients(1), strict=True)):
            p.grad = gradient if i in updated or run.parameters[i].grad is not None else None
        for each in (run, twin):
            each.optimizer.step()
            each.backward(2)
            each.optimizer.step()
        for i in range(len(SIZES)):
            assert run.of_parameter(i) == twin.of_parameter(i), place
        assert run.optimizer.param_groups[0]["updates"] == twin.optimizer.param_groups[0]["updates"] == 3


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions take no notes")
def test_an_exception_says_what_has_been_updated():
    run = Run()
    first, second = run.parameters
    version = first._version
    second.register_hook(lambda gradient: run.optimizer.state[second].update(exp_avg=torch.zeros(3)))
    with pytest.raises(ValueError, match="the state 'exp_avg' of parameter 1 has shape") as refused:
        run.backward(1)
    updated = [0] if first._version > version else []
    (note,) = refused.value.__notes__
    assert note.startswith(f"release=True has updated parameters {updated} in this backward pass, and no others: ")


def test_an_exception_at_each_line_of_the_step_after_it():
    def make():
        run = Run()
        run.backward(1)
        return run

    assert_all_or_nothing(make, lambda run: run.optimizer.step(), Run.look)
