"""torch's C functions that tell where a tensor lies: found, checked, and not needed for what is right."""

import os
import subprocess
import sys

import pytest
import torch

from gradstep import optim
from gradstep.interop import tensor_shim
from support.compiling import ROOT

WITHOUT = """
import sys, pytest
from gradstep.interop import tensor_shim
tensor_shim.find = lambda: None
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


def test_this_torch_has_them():
    functions, offset = tensor_shim.find()
    assert len(set(functions)) == len(tensor_shim._ANSWERS) == 7
    assert all(functions)
    assert offset >= object.__basicsize__


PREFIX = "aoti_torch_get_"


class Swapping:
    """A library in which two functions have each other's names."""

    def __init__(self, real, names):
        self.real, self.order = real, dict(zip(names, reversed(names), strict=True))

    def __getattr__(self, name):
        asked = name.removeprefix(PREFIX)
        return getattr(self.real, PREFIX + self.order.get(asked, asked))


@pytest.mark.parametrize("swapped", [("sizes", "strides"), ("dim", "storage_size"), ("storage_size", "storage_offset")])
def test_functions_that_say_something_else_are_not_used(monkeypatch, swapped):
    real = tensor_shim._library()
    monkeypatch.setattr(tensor_shim, "_library", lambda: Swapping(real, swapped))
    assert tensor_shim.find.__wrapped__() is None


def test_functions_that_are_not_there_are_not_used(monkeypatch):
    monkeypatch.setattr(tensor_shim, "_ANSWERS", {"no_such_thing": None})
    assert tensor_shim.find.__wrapped__() is None


def test_a_handle_that_lies_elsewhere_is_not_used(monkeypatch):
    monkeypatch.setattr(tensor_shim, "_handle_offset", lambda base, samples: None)
    assert tensor_shim.find.__wrapped__() is None


def test_tensors_are_read_without_them():
    chosen = [
        "tests/arrays/test_moved_arrays.py",
        "tests/arrays/test_refused_tensors.py",
        "-k",
        "Adam or shrunk or freed or negated",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, *chosen], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout


def shrink_in_place(storage):
    """Make a storage smaller, until what it holds lies where it lay; False if that never comes."""
    first = storage.data_ptr()
    for size in range(storage.nbytes() - 64, 64, -64):
        storage.resize_(size)
        if storage.data_ptr() == first:
            return True
    return False


@pytest.mark.parametrize("what", ["parameter", "gradient", "exp_avg"])
def test_a_storage_that_has_shrunk_where_it_lies_is_refused(what):
    p = torch.zeros(1000)
    opt = optim.Adam([p], lr=0.1)
    for _ in range(2):
        p.grad = torch.ones(1000) if p.grad is None else p.grad
        opt.step()
    array = {"parameter": p, "gradient": p.grad, **opt.state[p]}[what]
    if not shrink_in_place(array.untyped_storage()):
        pytest.skip("the allocator gave no memory back to where it came from")
    before = opt.state[p]["step"].item()
    with pytest.raises(ValueError, match=r"its storage was freed or resized"):
        opt.step()
    assert opt.state[p]["step"].item() == before
