"""A training that is killed in many ways and resumes from its last checkpoint each time.

    python -m support.mortal_training npz|pt FOLDER

It prints the hash of the final state of a run that was never killed, a line for each kill, and the hash after those.

This process only imports. Each run of the training is a fork of it, which is ended by SIGKILL: from within at a chosen
place, or by this process at any moment.
"""

import hashlib
import io
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import gradstep
from gradstep import checkpoint

STEPS = 60
SIZE = 20_000  # saving takes most of a run's time, so that most kills at a random moment are in it


class ArrayRun:
    """Least squares over NumPy arrays, with random batches."""

    def __init__(self):
        self.weight = np.zeros(SIZE, np.float32)
        self.optimizer = gradstep.NAdam([self.weight], lr=gradstep.CosineDecay(0.1, steps=STEPS).warmup(5))
        self.batches = np.random.default_rng(0)
        self.plateau = gradstep.Plateau(factor=0.5, patience=3)

    def step(self):
        noise = np.random.standard_normal(SIZE) + random.random() + self.batches.random()
        self.optimizer.step([(self.weight - noise).astype(np.float32)])
        self.plateau.step(random.random(), self.optimizer)

    def numbers(self):
        return [self.weight, *self.optimizer.state[0].values()]

    def parts(self):
        return vars(self)


class TorchRun:
    """A small network on random batches, with dropout."""

    def __init__(self):
        self.model = torch.nn.Sequential(torch.nn.Linear(20, 300), torch.nn.Dropout(), torch.nn.Linear(300, 1))
        rate = gradstep.CosineDecay(0.1, steps=STEPS).warmup(5)
        self.optimizer = optim.NAdam(self.model.parameters(), lr=rate)
        self.batches = torch.Generator().manual_seed(0)
        self.plateau = gradstep.Plateau(factor=0.5, patience=3)

    def step(self):
        self.optimizer.zero_grad()
        loss = self.model(torch.randn(8, 20, generator=self.batches) + random.random()).square().mean()
        loss.backward()
        self.optimizer.step()
        self.plateau.step(loss, self.optimizer)

    def numbers(self):
        states = [value for state in self.optimizer.state.values() for value in state.values()]
        return [tensor.detach().numpy() for tensor in (*self.model.parameters(), *states)]

    def parts(self):
        return vars(self)


def seed():
    random.seed(1)
    np.random.seed(1)
    if torch:
        torch.manual_seed(1)
        torch.set_num_threads(1)


def live(path, death, at):
    """Train from the last checkpoint, if there is one, and die or print the hash."""
    seed()
    run = (TorchRun if torch else ArrayRun)()
    first = checkpoint.restore(path, **run.parts())["step"] if path.exists() else 0
    for step in range(first, STEPS):
        if step == at:
            DEATHS[death]()
        run.step()
        checkpoint.save(path, **run.parts(), step=step + 1)
    hashed = hashlib.sha256()
    for array in run.numbers():
        hashed.update(np.ascontiguousarray(array).tobytes())
    print(hashed.hexdigest(), run.plateau.scale, random.random(), flush=True)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class HalfFile(io.FileIO):
    """A file whose writer is killed before its end."""

    def write(self, data):
        if self.tell() > SIZE:
            super().write(bytes(data)[: len(data) // 2])
            die()
        return super().write(data)


def die_in(name, after=False):
    """Kill the process at the next call of a function of os."""
    original = getattr(os, name)

    def last(*arguments):
        if after:
            original(*arguments)
        die()

    setattr(os, name, last)


DEATHS = {
    "before a step": die,
    "while writing": lambda: setattr(checkpoint.atomic, "open", HalfFile),
    "before renaming": lambda: die_in("replace"),
    "after renaming": lambda: die_in("replace", after=True),
    "at any moment": lambda: None,
}


def follow(path, death, at, patience):
    """Fork a run; return whether it was killed."""
    if not (child := os.fork()):
        live(path, death, at)
        os._exit(0)
    if death == "at any moment":
        time.sleep(patience)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a life ended by an error")
    return os.WIFSIGNALED(status)


def main(kind, folder):
    (TorchRun if torch else ArrayRun)()  # torch's lazy imports would slow every run down
    path = folder / f"never_killed.{kind}"
    follow(path, None, at=None, patience=0)
    path = folder / f"mortal.{kind}"
    chance = random.Random(7)
    done = 0
    for death in [*DEATHS] * 3:
        at = chance.randrange(done, done + 4)
        if follow(path, death, at, patience=chance.uniform(0.0, 0.2)):
            print(death, flush=True)
        if path.exists():
            done = checkpoint.load(path)["step"]
    follow(path, None, at=None, patience=0)


if __name__ == "__main__":
    torch = None
    if sys.argv[1] == "pt":
        import torch

        from gradstep import optim
    main(sys.argv[1], Path(sys.argv[2]))
