"""How older versions of torch differ, where it shows."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

# torch 2.4 bumps the version counter of one tensor, and refuses a list, and a tensor without a counter. The core asks
# once which it is, so each of these runs in a separate process.
ONE_AT_A_TIME = """
import torch

many = torch._C._increment_version

def bump(tensor):
    if not isinstance(tensor, torch.Tensor):
        raise RuntimeError("increment_version expect a Tensor as input")
    if tensor.is_inference():
        raise RuntimeError("Inference tensors do not track version counter.")
    many([tensor])

try:
    many([])
    torch._C._increment_version = bump
except RuntimeError:
    pass  # it is such a torch

from gradstep import functional, optim
import gradstep
"""

STEPS = {
    "optim": """
params = [torch.nn.Parameter(torch.ones(5)) for _ in range(3)]
for options in ({}, {"zero_grad": True}, {"release": True}, {"accumulate": 2}):
    optimizer = optim.SGD(params, lr=0.5, **options)
    for _ in range(options.get("accumulate", 1)):
        before = [p._version for p in params]
        sum((p * p).sum() for p in params).backward()
        optimizer.step()
    assert all(p._version > version for p, version in zip(params, before)), options
""",
    "arrays": """
with torch.inference_mode():
    frozen = torch.ones(5) * 1
plain = torch.ones(5)
before = plain._version
gradstep.SGD([frozen, plain], lr=0.5).step([torch.ones(5), torch.ones(5)])
assert plain._version > before and (frozen == 0.5).all() and (plain == 0.5).all()
""",
    "calls": """
with torch.inference_mode():
    frozen = torch.ones(5) * 1
plain = torch.ones(5)
before = plain._version
functional.unscale_([frozen, plain], 2.0)
assert plain._version > before and (frozen == 0.5).all()
""",
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_a_torch_that_counts_writes_one_tensor_at_a_time(steps):
    subprocess.run([sys.executable, "-c", ONE_AT_A_TIME + steps], check=True)


# torch before 2.10 offers no functions that describe a tensor from C++: Python does so in each step.
WITHOUT_EXCHANGE = """
import torch

if hasattr(torch.Tensor, "__dlpack_c_exchange_api__"):
    del torch.Tensor.__dlpack_c_exchange_api__

from gradstep import _emulated, optim
from gradstep.interop import devices

params = [torch.ones(5), torch.ones(2, 3)]
for p in params:
    p.grad = torch.ones_like(p)
rate = torch.tensor(0.0)
with devices.emulated():
    optimizer = optim.Adam(params, lr=rate)
    for _ in range(2):
        optimizer.step()
    _emulated.begin_capture()
    optimizer.step()
    replay = _emulated.end_capture().replay
assert all(p.eq(1).all() for p in params)
rate.fill_(0.125)
replay()
assert all(optimizer.state[p]["step"] == 3 and p.sub(0.875).abs().max() < 1e-6 for p in params)
"""


def test_a_capture_of_tensors_that_python_describes():
    """Their states lie where they lay, so that the tables of the step before serve; replays read a rate anew."""
    pytest.importorskip("gradstep._emulated")
    subprocess.run([sys.executable, "-c", WITHOUT_EXCHANGE], check=True, timeout=60)
