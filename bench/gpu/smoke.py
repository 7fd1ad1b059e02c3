"""A first look at the engine of a device, within seconds: to the bit what the CPU's computes, on each kind of stream.

The tests say more, and later. ``--device emulated`` rehearses it where there is no GPU.
"""

import argparse
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

import gradstep
from gradstep import optim

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.arrays import assert_same_bits
from support.devices import DEVICES
from support.twins import Twins, normals

SIZES = (1, 33, 4097, 70_000)


def twins_on(device):
    return Twins(device, lambda params: optim.AdamW(params, clip_norm=0.7, stats=True), normals(0, SIZES))


def same_steps(device):
    twins = twins_on(device)
    for t in (1, 2, 3):
        twins.take(normals(t, SIZES))
        twins.step()
        twins.assert_same()
        assert twins.found.stats() == twins.expected.stats()


def on_a_side_stream(device):
    with torch.cuda.stream(torch.cuda.Stream()) if device.name == "cuda" else nullcontext():
        same_steps(device)


def in_a_graph(device):
    twins = twins_on(device)
    twins.take(normals(1, SIZES))
    twins.step()
    step = twins.captured()
    for t in (2, 3, 4):
        twins.renew(normals(t, SIZES))
        step()
        twins.assert_same()


def the_last_block(device, steps=200):
    """The block that comes last adds the sums of the others: at a rate of 0 they are the same in each step."""
    twins = Twins(device, lambda params: optim.AdamW(params, lr=0, stats=True), normals(0, [device.large]))
    twins.take(normals(1, [device.large]))
    twins.expected.step()
    with device.stepping():
        for _ in range(steps):
            twins.found.step()
            assert twins.found.stats() == twins.expected.stats()


def on_arrays_of_cupy(device):
    """CuPy works on its own current stream; where there is no GPU, NumPy stands in."""
    arrays = np
    if device.name == "cuda":
        import cupy as arrays

    stream = nullcontext() if arrays is np else arrays.cuda.Stream(non_blocking=True)
    expected, found = normals(0, SIZES), [arrays.array(start) for start in normals(0, SIZES)]
    host, there = gradstep.AdamW(expected, clip_norm=0.7), gradstep.AdamW(found, clip_norm=0.7)
    with stream:
        for t in (1, 2, 3):
            host.step(normals(t, SIZES))
            with device.stepping():
                there.step([arrays.array(g) for g in normals(t, SIZES)])
        for p, q in zip(expected, found, strict=True):
            assert_same_bits(q if arrays is np else arrays.asnumpy(q), p)


CHECKS = (same_steps, on_a_side_stream, in_a_graph, the_last_block, on_arrays_of_cupy)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=DEVICES)
    device = DEVICES[parser.parse_args().device]()
    if missing := device.missing():
        return missing
    failed = []
    for check in CHECKS:
        try:
            check(device)
        except Exception:
            traceback.print_exc()
            failed.append(check.__name__)
        print("failed" if check.__name__ in failed else "passed", check.__name__, flush=True)
    return f"failed: {', '.join(failed)}" if failed else 0


if __name__ == "__main__":
    sys.exit(main())
