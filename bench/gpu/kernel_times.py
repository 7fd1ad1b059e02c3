"""The kernels of a step and the gaps between them, as the profiler of CUDA saw them: gradstep's and torch's fused.

`kernel_times.py FOLDER [cpu]` leaves the traces in the folder. The steps wait on the device behind a kernel that only
waits, so that no gap is the host's.
"""

import itertools
import json
import re
import statistics
import sys
from pathlib import Path

import torch
from large_steps import DTYPES, gpt2
from torch.profiler import ProfilerActivity, profile

from gradstep import optim

STEPS = 5
WAIT_CYCLES = 100_000_000  # some 50 ms: longer than the host needs for the steps
ON_DEVICE = {"kernel", "gpu_memcpy", "gpu_memset"}
WAITING = "spin_kernel"


def contestants(dtype, device):
    yield "gradstep", lambda params: optim.AdamW(params, state_dtype="param")
    yield "gradstep, clip_norm", lambda params: optim.AdamW(params, state_dtype="param", clip_norm=1.0)
    yield "torch fused", lambda params: torch.optim.AdamW(params, fused=True, capturable=device != "cpu")


def record(optimizer, trace, device):
    for _ in range(3):
        optimizer.step()
    on_device = device == "cuda"
    with profile(activities=[ProfilerActivity.CUDA if on_device else ProfilerActivity.CPU]) as profiled:
        if on_device:
            torch.cuda.synchronize()
            torch.cuda._sleep(WAIT_CYCLES)
        for _ in range(STEPS):
            optimizer.step()
        if on_device:
            torch.cuda.synchronize()
    profiled.export_chrome_trace(str(trace))


def kernels_in(trace):
    """(name, start, end) in microseconds of what the device did, in its order."""
    events = json.loads(trace.read_text())["traceEvents"]
    done = [(e["name"], e["ts"], e["ts"] + e["dur"]) for e in events if e.get("cat") in ON_DEVICE]
    return sorted((each for each in done if WAITING not in each[0]), key=lambda each: each[1])


def in_words(name):
    """Without arguments and namespaces, as far as there is room."""
    return re.sub(r"\(.*|\b\w+::|^void ", "", name.replace("(anonymous namespace)::", ""))[:58]


def table(kernels):
    """Lines on the steps, which are alike: the median of each kernel and of the gap before it."""
    if not kernels or len(kernels) % STEPS:
        raise ValueError(f"{len(kernels)} kernels in {STEPS} steps: {sorted({in_words(name) for name, *_ in kernels})}")
    each = len(kernels) // STEPS
    gaps = [0.0, *(start - end for (_, _, end), (_, start, _) in itertools.pairwise(kernels))]
    steps = [kernels[i : i + each] for i in range(0, len(kernels), each)]
    whole = statistics.median(step[-1][2] - step[0][1] for step in steps)
    busy = statistics.median(sum(end - start for _, start, end in step) for step in steps)
    yield f"{whole:9.1f} us from the first kernel to the end of the last, {busy:.1f} us of it in kernels"
    for i in range(each):
        own = statistics.median(step[i][2] - step[i][1] for step in steps)
        gap = statistics.median(gaps[i::each][1:])
        yield f"{own:9.1f} us, {gap:6.1f} us after the one before: {in_words(kernels[i][0])}"


def main(folder, device="cuda"):
    folder = Path(folder)
    folder.mkdir(parents=True)
    failed = False
    for dtype in DTYPES:
        for name, make in contestants(dtype, device):
            title = f"{name}, {str(dtype).removeprefix('torch.')}"
            trace = folder / (re.sub(r"\W+", "_", title) + ".json")
            try:
                record(make(gpt2(dtype, device)), trace, device)
                lines = list(table(kernels_in(trace)))
            except (RuntimeError, ValueError) as error:
                lines, failed = [f"failed: {error}"], True
            print(title, *(f"  {line}" for line in lines), sep="\n", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
