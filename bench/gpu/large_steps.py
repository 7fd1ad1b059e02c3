"""One step of AdamW with ``clip_norm`` on GPT-2 124M in each of two dtypes, for ncu, which sees nothing but that.

`large_steps.py [cpu]` rehearses it, with few elements.
"""

import sys

import torch

from gradstep import optim
from gradstep_bench.cases import CASES

DTYPES = (torch.float32, torch.bfloat16)


def gpt2(dtype, device):
    """Parameters with gradients, of GPT-2's shapes; on the CPU cut short."""
    case = CASES["gpt2"]
    params = [torch.randn(shape, device=device, dtype=dtype) for shape in (case.shapes, case.sample)[device == "cpu"]]
    for p in params:
        p.grad = torch.randn_like(p)
    return params


def main(device):
    profiler = torch.cuda.profiler if device == "cuda" else None
    for dtype in DTYPES:
        optimizer = optim.AdamW(gpt2(dtype, device), state_dtype="param", clip_norm=1.0)
        for _ in range(3):
            optimizer.step()
        if profiler:
            torch.cuda.synchronize()
            profiler.start()
        optimizer.step()
        if profiler:
            torch.cuda.synchronize()
            profiler.stop()
        print(dtype, "stepped", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["cuda"])
