"""A few small steps for compute-sanitizer, `small_steps.py [cpu]`: of kernels that reduce, and of some that do not.

The numbers come from the host: initcheck knows then that they were written.
"""

import sys

import torch

from gradstep import optim

DEVICE = sys.argv[1] if sys.argv[1:] else "cuda"
OPTIMIZERS = [
    (optim.AdamW, {"clip_norm": 0.7, "stats": True, "cast_to": "bf16"}),
    (optim.SGD, {"momentum": 0.9, "skip_nonfinite": True, "zero_grad": True}),
    (optim.LAMB, {"clip_norm": 0.7, "clip_lagged": True, "ema": 0.9}),
    (optim.Prodigy, {"clip_norm": 0.7, "clip_scope": "group"}),
    (optim.ScheduleFreeAdamW, {"stats": True}),
]


def numbers(dtype):
    """Some in whole memory, some off the alignment of wide accesses, and some with gaps."""
    views = [lambda x: x, lambda x: x[1:], lambda x: x[::2]]
    return [view(torch.randn(n).to(dtype).to(DEVICE)) for n in (2, 34, 4097, 70_000) for view in views]


def main():
    for make, options in OPTIMIZERS:
        for dtype in (torch.float32, torch.bfloat16):
            params = numbers(dtype)
            optimizer = make(params, **options)
            for _ in range(3):
                for p, g in zip(params, numbers(dtype), strict=True):
                    p.grad = g
                optimizer.step()
            print(make.__name__, dtype, float(sum(p.double().sum() for p in params)), flush=True)


if __name__ == "__main__":
    main()
