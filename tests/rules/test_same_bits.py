"""The same bits everywhere: on every CPU target, with any number of threads, however the data is cut, with
NumPy and with torch, and whatever floating-point mode the program has set."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import gradstep
from gradstep import _core
from support.arrays import DTYPES, assert_same_bits, numbers_for, state_arrays, step_all, to_numpy, to_torch
from support.cases import CASES
from support.compiling import ROOT
from support.hashes import all_digests

STEPS = 3
THREADS = (1, 2, 3, 4)
#: more than the core does on one thread, and no multiple of anything
SIZE = 5 * 16 * 4096 + 1237

each_rule = pytest.mark.parametrize("case", CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_element_rule = pytest.mark.parametrize("case", [case for case in CASES if case.scope == "element"], ids=str)


@pytest.fixture(scope="module")
def digests():
    return all_digests()


def run_script(**environment):
    variables = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-m", "support.hashes"],
        cwd=ROOT / "tests",
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("target", _core.targets())
def test_targets(target, digests):
    done = run_script(GRADSTEP_TARGET=target)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["target"] == target
    different = [name for name, digest in digests.items() if found["digests"][name] != digest]
    assert not different


def test_the_digests_tell_rules_apart(digests):
    # A digest that did not depend on the rule would make every other test here pass.
    assert len(set(digests.values())) == len(digests)


@pytest.mark.parametrize("name", ["avx1024", "AVX2", "cuda"])
def test_an_unknown_target_is_refused(name):
    done = run_script(GRADSTEP_TARGET=name)
    assert done.returncode != 0
    message = f"GRADSTEP_TARGET is '{name}', but this machine and build offer {', '.join(_core.targets())}"
    assert message in done.stderr


def data(case, dtype, size=SIZE):
    return numbers_for(case, 1, size, dtype), [numbers_for(case, 10 + t, size, dtype) for t in range(STEPS)]


@each_dtype
@each_rule
def test_thread_counts(case, dtype):
    start, gradients = data(case, dtype)
    found = []
    for threads in THREADS:
        gradstep.set_num_threads(threads)
        p = start.copy()
        optimizer = step_all(case.over([p]), [[g] for g in gradients])
        found.append([p, *optimizer.state[0].values()])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert_same_bits(a, b)


def cuts(size):
    """Ways to cut a run of numbers into tensors."""
    rng = np.random.default_rng(0)
    random = np.sort(rng.choice(size, 40, replace=False))
    return {
        "few": [size // 3, size // 2],
        "leaves": range(4096, size, 4096),
        "small first": [1, 2, 5, 17, 4113],
        "random": random,
    }


@each_dtype
@each_element_rule
def test_chunkings(case, dtype):
    start, gradients = data(case, dtype, 20_011)
    whole = start.copy()
    step_all(case.over([whole]), [[g] for g in gradients])
    for places in cuts(len(start)).values():
        pieces = [piece.copy() for piece in np.split(start, places)]
        step_all(case.over(pieces), [np.split(g, places) for g in gradients])
        assert_same_bits(np.concatenate(pieces), whole)


@pytest.mark.grid
@pytest.mark.parametrize("offset", [1, 3, 7])
@each_dtype
@each_rule
def test_offset_views(case, dtype, offset):
    # The same numbers at other addresses, the parameter's and the gradient's shifted by different amounts.
    start, gradients = data(case, dtype, 5003)
    whole = start.copy()
    step_all(case.over([whole]), [[g] for g in gradients])
    shifted = np.concatenate([np.full(offset, 7, start.dtype), start, np.full(3, 7, start.dtype)])
    unaligned = [np.concatenate([np.full(2 * offset, 9, g.dtype), g])[2 * offset :] for g in gradients]
    step_all(case.over([shifted[offset:-3]]), [[g] for g in unaligned])
    assert_same_bits(shifted[offset:-3], whole)
    assert (shifted[:offset] == 7).all()
    assert (shifted[-3:] == 7).all()


def torch_run(case, start, gradients):
    p = to_torch(start.copy())
    optimizer = case.over_tensors([p])
    for g in gradients:
        p.grad = to_torch(g)
        optimizer.step()
    return [to_numpy(p), state_arrays(optimizer.state[p])]


@each_dtype
@each_rule
def test_numpy_and_torch(case, dtype):
    pytest.importorskip("torch")
    start, gradients = data(case, dtype, 5003)
    p, state = torch_run(case, start, gradients)
    optimizer = step_all(case.over([start]), [[g] for g in gradients])
    assert_same_bits(p, start)
    assert set(state) == set(optimizer.state[0])
    for name, values in optimizer.state[0].items():
        # torch's step is float32 by its own layout, which is exact here
        assert_same_bits(state[name].astype(values.dtype), values)


@each_dtype
@each_rule
def test_flushing_subnormals_changes_nothing(case, dtype):
    # Trap: torch.set_flush_denormal sets the mode of the calling thread, and of those that it starts later.
    torch = pytest.importorskip("torch")
    start, gradients = data(case, dtype, 70_001)
    expected = start.copy()
    expected_optimizer = step_all(case.over([expected]), [[g] for g in gradients])
    if not torch.set_flush_denormal(True):
        pytest.skip("torch can't flush subnormals on this machine")
    try:
        for threads in (1, 2):
            gradstep.set_num_threads(threads)
            p = start.copy()
            optimizer = step_all(case.over([p]), [[g] for g in gradients])
            assert_same_bits(p, expected)
            for name, values in expected_optimizer.state[0].items():
                assert_same_bits(optimizer.state[0][name], values)
            half_smallest = torch.tensor([1e-40]) * 0.5
            assert half_smallest.item() == 0, "the program's own mode was not restored"
    finally:
        torch.set_flush_denormal(False)
