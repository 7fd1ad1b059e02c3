"""Run a script in a separate process, without network and files, and report its results."""

import json
import os
import runpy
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Observed:
    """A script's output, and the facts that `facts` lists."""

    printed: str
    facts: dict[str, Any]


def observe(script: Path, folder: Path) -> Observed:
    """Run the script alone on one thread; only `folder`, for the settings of libraries, may be written."""
    facts = folder / "facts.json"
    own = {"HOME": str(folder), "KERAS_HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    threads = {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, __file__, str(script), str(facts)]
    process = subprocess.run(command, env=os.environ | own | threads, cwd=folder, capture_output=True, check=False)
    assert process.returncode == 0, process.stderr.decode()
    return Observed(process.stdout.decode(), json.loads(facts.read_text()))


@contextmanager
def recorded_optimizers():
    """A list of the torch optimizers that are made: class, options, and rates of the groups."""
    import torch

    records = []
    original = torch.optim.Optimizer.__init__

    def record(self, params, defaults):
        params = list(params)
        options = {name: repr(value) for name, value in defaults.items()}
        lr = options.pop("lr")
        groups = [group for group in params if isinstance(group, dict)]
        rates = {repr(group["lr"]) if "lr" in group else lr for group in groups} or {lr}
        records.append({"class": type(self).__name__, "options": options, "rates": sorted(rates)})
        original(self, params, defaults)

    torch.optim.Optimizer.__init__ = record
    try:
        yield records
    finally:
        torch.optim.Optimizer.__init__ = original


def shapes(module):
    return [list(parameter.shape) for parameter in module.parameters()]


def main(script, facts):
    sys.addaudithook(refuse_outside(os.path.dirname(facts)))
    optimizers, models = [], {}
    if "torch" in Path(script).read_text(encoding="utf-8"):
        with recorded_optimizers() as optimizers:
            names = runpy.run_path(script, run_name="__main__")
        from torch import nn

        models = {name: shapes(value) for name, value in names.items() if isinstance(value, nn.Module)}
    else:
        names = runpy.run_path(script, run_name="__main__")
    found = {
        "settings": {name: value for name, value in names.items() if name.isupper()},
        "rate": repr(names.get("rate")),
        "optimizers": optimizers,
        "models": models,
        "seconds": time.process_time(),
    }
    Path(facts).write_text(json.dumps(found, default=repr))


def refuse_outside(folder):
    """An audit hook that refuses network access and writing of files outside the folder."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def hook(event, arguments):
        if event in ("socket.connect", "socket.getaddrinfo"):
            raise RuntimeError(f"a script reached for the network: {event}{arguments}")
        if event == "open" and isinstance(arguments[0], str | os.PathLike) and arguments[2] & writing:
            path = os.path.abspath(arguments[0])
            if not path.startswith((folder, "/dev/")):
                raise RuntimeError(f"a script wrote the file {path}")

    return hook


if __name__ == "__main__":
    main(*sys.argv[1:])
