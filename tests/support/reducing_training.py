"""The results of one of several processes that train with release=True; as a program, it prints them as JSON.

For each training: the parameters before, after backward and after step(), whether the gradients were freed, and the
exception.
"""

import json
import sys

import torch
from torch.nn.parallel import DistributedDataParallel

from gradstep import optim


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


def apart(net):
    return net


def ddp(**options):
    return lambda net: DistributedDataParallel(net, **options)


#: how the model is wrapped, and whether that is before its optimizer is made
WAYS = {
    "apart": (apart, True),
    "ddp": (ddp(), True),
    "ddp, wrapped later": (ddp(), False),
    "ddp, views": (ddp(gradient_as_bucket_view=True), True),
    "ddp, static": (ddp(static_graph=True), True),
    "ddp, unused": (ddp(find_unused_parameters=True), True),
    "ddp, small buckets": (ddp(bucket_cap_mb=1e-5), True),
}


def values(net):
    return [p.detach().flatten().tolist() for p in net.parameters()]


def attempt(results, key, function):
    try:
        function()
    except RuntimeError as error:
        results[key] = str(error)


def loss_of(net, rank):
    return net(torch.full((5, 3), rank + 1.0)).square().mean()


def train(rank, wrap, first, momentum=0.5, synced=True):
    net = model()
    wrapped = wrap(net) if first else None
    optimizer = optim.SGD((wrapped or net).parameters(), lr=0.5, momentum=momentum, release=True)
    wrapped = wrapped or wrap(net)
    results = {"before": values(net)}
    if not synced:
        with wrapped.no_sync():
            loss_of(wrapped, rank).backward()
        optimizer.step()
    attempt(results, "backward", lambda: loss_of(wrapped, rank).backward())
    results["after backward"] = values(net)
    results["freed"] = all(p.grad is None for p in net.parameters())
    attempt(results, "step", optimizer.step)
    results["after step"] = values(net)
    return results


def plain(rank):
    """The same without release and without other processes."""
    net = model()
    optimizer = optim.SGD(net.parameters(), lr=0.5, momentum=0.5)
    loss_of(net, rank).backward()
    optimizer.step()
    return {"after step": values(net)}


def in_group(rank, processes, store):
    """The results of this process of a group, by the name of each training."""
    torch.distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=processes)
    try:
        results = {name: train(rank, *way) for name, way in WAYS.items()}
        results["ddp, not synced first"] = train(rank, ddp(), True, synced=False)
        results["plain"] = plain(rank)
    finally:
        torch.distributed.destroy_process_group()
    return results


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(in_group(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
