"""A ``state_dict`` that is saved and loaded cannot be seen afterwards, whichever gradients were missing before it."""

import copy

import numpy as np
import pytest

import gradstep
from support.arrays import normal
from support.cases import ONE_EACH
from support.injecting import frozen

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

SIZES = (3, 4, 5)
#: which parameters have a gradient in each step: the last only late, the second no more after the first step
GIVEN = [(0, 1), (), (0,), (0,), (), (2,), (0, 2), (0, 2)]
OPTIONS = [{}, {"accumulate": 2}, {"accumulate": 3}]


class Run:
    def __init__(self, layer, case, **options):
        self.params = [normal(i, n) for i, n in enumerate(SIZES)]
        if layer == "tensors":
            self.params = [torch.nn.Parameter(torch.from_numpy(p)) for p in self.params]
        self.layer = layer
        self.make = lambda: (
            case.over_tensors(self.params, **options) if layer == "tensors" else case.over(self.params, **options)
        )
        self.optimizer = self.make()

    def step(self, t):
        gradients = [normal(10 * t + i, n) if i in GIVEN[t] else None for i, n in enumerate(SIZES)]
        if self.layer == "arrays":
            return self.optimizer.step(gradients)
        self.optimizer.zero_grad()
        for p, gradient in zip(self.params, gradients, strict=True):
            if gradient is not None:
                p.backward(torch.from_numpy(gradient))
        return self.optimizer.step()

    def resume(self):
        saved = copy.deepcopy(self.optimizer.state_dict())
        self.optimizer = self.make()
        self.optimizer.load_state_dict(saved)

    def look(self):
        optimizer = self.optimizer
        states = [optimizer.state.get(p, {}) for p in self.params] if self.layer == "tensors" else optimizer.state
        groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
        return frozen([self.params, [state or {} for state in states], groups])


@pytest.mark.grid
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
@pytest.mark.parametrize("layer", ["arrays", "tensors"])
def test_a_run_that_is_resumed_before_each_step(layer, case, options):
    run, twin = Run(layer, case, **options), Run(layer, case, **options)
    for t in range(len(GIVEN)):
        run.resume()
        assert run.look() == twin.look(), t
        run.step(t)
        twin.step(t)
        assert run.look() == twin.look(), t


@pytest.mark.parametrize("layer", [gradstep, optim])
def test_sums_that_are_lost_in_part_are_refused(layer):
    def made():
        arrays = [normal(i, n) for i, n in enumerate(SIZES)]
        if layer is optim:
            arrays = [torch.nn.Parameter(torch.from_numpy(array)) for array in arrays]
        return arrays, layer.SGD(arrays, lr=0.1, accumulate=3)

    params, optimizer = made()
    if layer is optim:
        for p in params[:2]:
            p.grad = torch.ones_like(p)
        optimizer.step()
    else:
        optimizer.step([np.ones(3, np.float32), np.ones(4, np.float32), None])
    state = optimizer.state_dict()
    del state["state"][1]["gradient_sum"]
    with pytest.raises(ValueError, match="saved after 1 micro-batches of an update, but their sums are not in it"):
        made()[1].load_state_dict(state)
