"""``checkpoint.restore``: all parts or none, whatever raises."""

import random

import numpy as np
import pytest

import gradstep
from gradstep import checkpoint
from support.arrays import normal
from support.injecting import assert_all_or_nothing, frozen

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402


class Foreign:
    """A foreign object whose loading may fail halfway."""

    def __init__(self):
        self.first = self.second = 0
        self.fails = False

    def state_dict(self):
        return {"first": self.first, "second": self.second}

    def load_state_dict(self, state):
        self.first = state["first"]
        if self.fails:
            self.fails = False
            raise KeyError("second")
        self.second = state["second"]


def numpys(seed):
    weights = [normal(seed, 3), normal(seed + 1, 2)]
    optimizer = gradstep.Adam(weights, lr=gradstep.Linear(0.1, 0.0, 10))
    for t in range(seed):
        optimizer.step([normal(t, 3), normal(t, 2)])
    parts = {"foreign": Foreign(), "weights": {"all": weights}, "optimizer": optimizer}
    parts["foreign"].first = parts["foreign"].second = seed
    return parts | {"plateau": gradstep.Plateau(), "generator": np.random.default_rng(seed), "own": random.Random(seed)}


def tensors(seed):
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 2)
    optimizers = [kind(model.parameters(), lr=0.1) for kind in (optim.NAdam, torch.optim.SGD)]
    for _ in range(seed):
        model(torch.randn(2, 3)).sum().backward()
        optimizers[0].step()
    names = ("model", "ours", "theirs", "weight", "generator")
    return dict(zip(names, (model, *optimizers, torch.randn(4), torch.Generator().manual_seed(seed)), strict=True))


def look(parts):
    found = {}
    for name, part in parts.items():
        if isinstance(part, np.random.Generator):
            found[name] = part.bit_generator.state
        elif isinstance(part, random.Random | torch.Generator):
            found[name] = part.getstate() if isinstance(part, random.Random) else part.get_state()
        else:
            found[name] = part.state_dict() if hasattr(part, "state_dict") else part
    return repr(frozen(found))


@pytest.mark.parametrize(("make", "ending"), [(numpys, "npz"), (tensors, "pt")])
def test_all_parts_are_restored_or_none(make, ending, tmp_path):
    path = tmp_path / f"run.{ending}"
    checkpoint.save(path, **make(3))
    assert_all_or_nothing(lambda: make(1), lambda parts: checkpoint.restore(path, **parts), look, repeats=1)


def test_an_object_that_raises_in_the_middle(tmp_path):
    path = tmp_path / "run.npz"
    checkpoint.save(path, **numpys(3))
    parts = numpys(1)
    before, numbers = look(parts), np.random.get_state(legacy=False)["state"]["key"].copy()
    parts["foreign"].fails = True
    with pytest.raises(KeyError, match="second"):
        checkpoint.restore(path, **parts)
    assert look(parts) == before
    assert (np.random.get_state(legacy=False)["state"]["key"] == numbers).all()


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros(2, np.float32)])
def test_an_array_that_does_not_fit_changes_nothing(tmp_path, wrong):
    path = tmp_path / "run.npz"
    checkpoint.save(path, w=np.ones(2), optimizer=gradstep.SGD([np.ones(2)], momentum=0.5), b=np.ones(2))
    w, foreign = np.zeros(2), gradstep.SGD([np.ones(2)])
    before = repr(foreign.state_dict())
    with pytest.raises(ValueError, match="b has shape"):
        checkpoint.restore(path, w=w, optimizer=foreign, b=wrong)
    with pytest.raises(TypeError, match="b is a int, which can't be changed in place"):
        checkpoint.restore(path, w=w, optimizer=foreign, b=0)
    read_only = np.zeros(2)
    read_only.setflags(write=False)
    with pytest.raises(ValueError, match="b is read-only: give an array that can be written to"):
        checkpoint.restore(path, w=w, optimizer=foreign, b=read_only)
    assert not w.any()
    assert repr(foreign.state_dict()) == before
