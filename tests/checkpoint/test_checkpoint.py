"""Checkpoints: whole or not at all, readable without running code, and exact after any death."""

import math
import os
import random
import subprocess
import sys
from collections import defaultdict
from enum import IntEnum

import ml_dtypes
import numpy as np
import pytest

import gradstep
from gradstep import checkpoint, tasks
from support.arrays import DTYPES, assert_same_bits, normal
from support.compiling import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["npz", "pt"])
def test_a_run_killed_again_and_again_ends_in_the_same_bits(kind, tmp_path):
    if kind == "pt":
        pytest.importorskip("torch")
    command = [sys.executable, "-m", "support.mortal_training", kind, str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT / "tests", capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    never_killed, *deaths, end = done.stdout.splitlines()
    assert end == never_killed
    assert {"before a step", "while writing", "before renaming", "after renaming"} <= set(deaths)


def test_a_failed_save_leaves_the_last_one(tmp_path):
    path = tmp_path / "run.npz"
    checkpoint.save(path, epoch=1)
    with pytest.raises(TypeError, match=r"model/layers/1 is a object: a checkpoint of NumPy holds arrays, numbers"):
        checkpoint.save(path, model={"layers": [1, object()]})
    assert checkpoint.load(path)["epoch"] == 1
    assert os.listdir(tmp_path) == ["run.npz"]


def test_a_full_disk_leaves_the_last_one(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    checkpoint.save(path, epoch=1)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            checkpoint.save(path, epoch=2)
    assert checkpoint.load(path)["epoch"] == 1
    assert os.listdir(tmp_path) == ["run.npz"]


CONTENT = {
    "numbers": [1, -2.5, math.inf, True, None, 2**70],
    "nested": {"text": "déjà", 3: (1, (2.0, "x")), "empty": {}, "list": []},
}


def assert_same_content(found, expected):
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back_to_the_bit(tmp_path, dtype):
    path = tmp_path / "run.npz"
    given = [
        normal(1, (4, 3), dtype),
        normal(2, (4, 3), dtype).T,
        normal(3, 8, dtype)[::2],
        np.array(1.5, DTYPES[dtype]),
    ]
    checkpoint.save(path, arrays=given, **CONTENT)
    loaded = checkpoint.load(path)
    for found, expected in zip(loaded["arrays"], given, strict=True):
        assert_same_bits(found, expected)
    assert_same_content({name: loaded[name] for name in CONTENT}, CONTENT)
    blank = [np.zeros_like(array) for array in given]
    rest = checkpoint.restore(path, arrays=blank)
    for found, expected in zip(blank, given, strict=True):
        assert_same_bits(found, expected)
    assert_same_content(rest, CONTENT)


def test_names_that_look_alike_stay_apart(tmp_path):
    path = tmp_path / "run.npz"
    parts = {"a": {"b": np.ones(1)}, "a/b": np.zeros(2), "file": np.ones(3), "structure": np.ones(4)}
    checkpoint.save(path, **parts)
    assert_same_content({name: checkpoint.load(path)[name] for name in parts}, parts)


def test_no_code_is_needed_to_read_the_files(tmp_path):
    torch = pytest.importorskip("torch")
    weight = np.ones(2, np.float32)
    optimizer = gradstep.Adam([weight], lr=0.1)
    optimizer.step([weight.copy()])
    checkpoint.save(tmp_path / "run.npz", weight=weight, optimizer=optimizer)
    with np.load(tmp_path / "run.npz", allow_pickle=False) as arrays:
        assert_same_bits(arrays["data/weight"], weight)
        assert_same_bits(arrays["data/optimizer/state/0/exp_avg"], optimizer.state[0]["exp_avg"])
    checkpoint.save(tmp_path / "run.pt", weight=weight, optimizer=optimizer)
    content = torch.load(tmp_path / "run.pt", weights_only=True)
    assert torch.equal(content["weight"], torch.from_numpy(weight))
    twin = gradstep.Adam([np.ones(2, np.float32)], lr=0.1)
    checkpoint.restore(tmp_path / "run.pt", optimizer=twin)
    assert_same_bits(twin.state[0]["exp_avg"], optimizer.state[0]["exp_avg"])


GENERATORS = [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64]


@pytest.mark.parametrize("kind", ["npz", "pt"])
@pytest.mark.parametrize("bits", GENERATORS)
def test_random_states_go_on(tmp_path, kind, bits):
    torch = pytest.importorskip("torch")
    path = tmp_path / f"run.{kind}"
    own = np.random.Generator(bits(1)), random.Random(1), torch.Generator().manual_seed(1)

    def draw():
        of_processes = [random.random(), random.gauss(0, 1), *np.random.standard_normal(3), float(torch.rand(()))]
        return [*of_processes, own[0].random(), own[1].random(), float(torch.rand((), generator=own[2]))]

    draw()
    parts = dict(zip(("numpys", "pythons", "torchs"), own, strict=True))
    checkpoint.save(path, **parts)
    expected = draw()
    draw()
    checkpoint.restore(path, **parts)
    assert draw() == expected


def test_what_surrounds_an_optimizer_goes_on(tmp_path):
    torch = pytest.importorskip("torch")
    from gradstep import optim

    def make():
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
        optimizer = optim.NAdam(model.parameters(), lr=gradstep.CosineDecay(0.05, steps=20))
        return {
            "model": model,
            "optimizer": optimizer,
            "plateau": gradstep.Plateau(factor=0.5, patience=0),
            "explore": gradstep.Explore(patience=0),
            "uncertainty": tasks.UncertaintyWeights(["regression", "classification"]),
            "gradnorm": tasks.GradNorm(tasks=2),
            "scaler": torch.amp.GradScaler("cpu", init_scale=8.0),
        }

    def train(run, steps):
        for t in steps:
            run["optimizer"].zero_grad()
            loss = run["model"](torch.randn(8, 3)).square().mean()
            loss.backward()
            run["optimizer"].step()
            run["plateau"].step(loss, run["optimizer"])
            run["explore"].update(loss)
            run["uncertainty"].update([loss, t + 1])
            run["gradnorm"].update([loss, t + 1], [1.0, 2.0])

    def plain(run):
        return repr({name: part.state_dict() for name, part in run.items()})

    never, path = make(), tmp_path / "run.pt"
    train(never, range(4))
    checkpoint.save(path, **never, data_position=(4, 32))
    train(never, range(4, 9))
    resumed = make()
    assert checkpoint.restore(path, **resumed) == {"data_position": (4, 32)}
    # torch keeps the format's version in an attribute of a model's state dict
    assert checkpoint.load(path)["model"]._metadata == resumed["model"].state_dict()._metadata
    train(resumed, range(4, 9))
    assert plain(resumed) == plain(never)
    assert never["optimizer"].param_groups[0]["gradstep_scale"] < 1


def test_a_file_of_torch_holds_nothing_that_torch_would_not_load(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "run.pt"

    def make():
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 4], gamma=0.5)

    scheduler = make()
    scheduler.optimizer.step()
    scheduler.step()
    scores = defaultdict(list, {np.int64(3): [np.float64(0.5)]})
    checkpoint.save(path, scheduler=scheduler, scores=scores)
    twin = make()
    assert_same_content(checkpoint.restore(path, scheduler=twin), {"scores": {3: [0.5]}})
    assert twin.state_dict() == scheduler.state_dict()
    twin.optimizer.step()
    twin.step()
    assert twin.get_last_lr() == [0.25]  # twice at the milestone
    with pytest.raises(TypeError, match=r"a key of scores is a \w*Path"):
        checkpoint.save(path, scores={path: 1})
    with pytest.raises(TypeError, match="color is a Color"):
        checkpoint.save(path, color=Color.RED)


class Color(IntEnum):
    RED = 1


def test_refusals(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "run.npz"
    checkpoint.save(path, weights=np.ones(2), step=3)
    with pytest.raises(ValueError, match=r"run.ckpt ends in '.ckpt': it must end in .npz \(NumPy\) or in .pt or .pth"):
        checkpoint.save(tmp_path / "run.ckpt", step=3)
    with pytest.raises(ValueError, match="a part can't be named 'randomness'"):
        checkpoint.save(path, randomness=1)
    with pytest.raises(TypeError, match=r"weights is a Tensor: .* for tensors save to a path that ends in .pt"):
        checkpoint.save(path, weights=torch.ones(2))
    with pytest.raises(TypeError, match="model/0 is a set: a checkpoint holds tensors"):
        checkpoint.save(tmp_path / "run.pt", model=[{1}])
    with pytest.raises(TypeError, match=r"weights is an array that torch can't hold .*: save to a path"):
        checkpoint.save(tmp_path / "run.pt", weights=np.ones(2, ml_dtypes.bfloat16))
    weights = np.zeros(2)
    with pytest.raises(ValueError, match=r"run.npz has no model: it has weights, step"):
        checkpoint.restore(path, weights=weights, model=weights)
    assert not weights.any()
    with pytest.raises(
        ValueError, match=r"weights has shape \(3,\) and dtype float64, but shape \(2,\) and dtype float64"
    ):
        checkpoint.restore(path, weights=np.zeros(3))
    with pytest.raises(TypeError, match="step is a int, which can't be changed in place: leave it out and take it"):
        checkpoint.restore(path, step=0)
    checkpoint.save(path, layers={"a": np.ones(1)})
    with pytest.raises(ValueError, match=r"layers holds \['b'\], but \['a'\] was saved"):
        checkpoint.restore(path, layers={"b": np.ones(1)})
