"""Checkpoints of earlier versions: they load, hold what was saved, and go on with the bits of then.

A folder for each version, written by ``write.py``.
"""

import copy
import functools
import gzip
import io
import json
import pickle
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from golden_runs import AFTER, BEFORE, RUNS, TENSOR_RUNS, OverArrays, OverTensors, attached

import gradstep
from gradstep import checkpoint
from support.arrays import assert_same_bits

HERE = Path(__file__).parent
VERSIONS = sorted(path.name for path in HERE.iterdir() if (path / "expected.json.gz").exists())

each_version = pytest.mark.parametrize("version", VERSIONS)
each_run = pytest.mark.parametrize("run", RUNS, ids=str)
each_tensor_run = pytest.mark.parametrize("run", TENSOR_RUNS, ids=str)


@functools.cache
def content(version, name):
    return gzip.decompress((HERE / version / f"{name}.gz").read_bytes())


@functools.cache
def expected(version):
    return json.loads(content(version, "expected.json"))


def read(written):
    dtype, shape, data = written
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    return np.frombuffer(bytes.fromhex(data), kind).reshape(shape)


def same_arrays(found, written):
    for mine, then in zip(found, written, strict=True):
        assert_same_bits(mine, read(then))


def same_states(found, written):
    for mine, then in zip(found, written, strict=True):
        assert set(mine) == set(then)
        for name, value in then.items():
            assert_same_bits(np.asarray(mine[name]), read(value))


#: keys of groups that had another name, which other libraries use
RENAMED = {"lr_scale": "gradstep_scale"}


def same_groups(found, written):
    for mine, then in zip(found, written, strict=True):
        for key, value in then.items():
            assert mine[RENAMED.get(key, key)] == (tuple(value) if isinstance(value, list) else value), key


def check(training, known):
    """A loaded file holds what was saved, and training continues as it did then."""
    same_states(training.states(), known["states"])
    same_groups(training.optimizer.param_groups, known["groups"])
    same_arrays(training.values(), known["parameters"])
    training.train(range(BEFORE, BEFORE + AFTER))
    same_arrays(training.values(), known["after"])


def resumed(training, held, known):
    """A new run with the states that a file held."""
    training.fill([read(each) for each in known["parameters"]])
    for name in training.parts:
        if name == "driver":  # torch has put other groups in the place of those that were driven
            training.parts[name] = attached(training.optimizer)
        training.parts[name].load_state_dict(copy.deepcopy(held[f"{training.run.name}/{name}"]))
    return training


@functools.cache
def file_of(version, name, folder):
    path = folder / name
    path.write_bytes(content(version, name))
    return checkpoint.load(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("golden")


@each_version
@each_run
def test_a_file_of_numpy(version, run, folder):
    known = expected(version)["arrays"][run.name]
    check(resumed(OverArrays(run), file_of(version, "arrays.npz", folder), known), known)


@each_version
@each_tensor_run
def test_a_file_of_torch(version, run, folder):
    pytest.importorskip("torch")
    known = expected(version)["tensors"][run.name]
    check(resumed(OverTensors(run), file_of(version, "tensors.pt", folder), known), known)


@each_version
@each_tensor_run
def test_a_state_dict_that_torch_saved(version, run):
    torch = pytest.importorskip("torch")
    known = expected(version)["tensors"][run.name]
    held = torch.load(io.BytesIO(content(version, "tensors_of_torch.pt")), weights_only=True)
    check(resumed(OverTensors(run), held, known), known)


@each_version
def test_all_parts_of_a_file_at_once(version, folder):
    path = folder / "arrays.npz"
    path.write_bytes(content(version, "arrays.npz"))
    trainings = [OverArrays(run) for run in RUNS]
    assert (
        checkpoint.restore(path, **{f"{t.run.name}/{name}": p for t in trainings for name, p in t.parts.items()}) == {}
    )
    for training in trainings:
        known = expected(version)["arrays"][training.run.name]
        training.fill([read(each) for each in known["parameters"]])
        check(training, known)


@each_version
@each_run
def test_a_pickle(version, run):
    parts = pickle.loads(content(version, "arrays.pkl"))[run.name]
    check(OverArrays(run, parts), expected(version)["arrays"][run.name])


@each_version
@each_tensor_run
def test_a_pickle_of_tensors(version, run):
    pytest.importorskip("torch")
    if run.attached:
        pytest.skip("what attach returns was never to be pickled")
    parts = pickle.loads(content(version, "tensors.pkl"))[run.name]
    check(OverTensors(run, parts), expected(version)["tensors"][run.name])


@each_version
@pytest.mark.parametrize("name", ["schedules.json", "schedules.pkl"])
def test_schedules(version, name):
    held = content(version, name)
    loaded = list(map(gradstep.from_json, json.loads(held))) if name.endswith("json") else pickle.loads(held)
    for schedule, values in zip(loaded, expected(version)["schedules"], strict=True):
        assert [schedule(t).hex() for t in range(len(values))] == values, schedule
