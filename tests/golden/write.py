"""Writes the golden files of the version of gradstep that is imported into a folder next to this file.

    python tests/golden/write.py a292936

Run it once for each version whose checkpoints are to be loaded ever after, with that version installed, and never again
for the same: ``test_golden.py`` reads all folders. What this script knows of a file goes into ``expected.json.gz``:
parameters and states when it was written, and the parameters after more updates.
"""

import gzip
import io
import json
import pickle
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "schedules")]

from golden_runs import AFTER, BEFORE, RUNS, TENSOR_RUNS, OverArrays, OverTensors  # noqa: E402

from gradstep import checkpoint  # noqa: E402
from support.compositions import COMPOSED  # noqa: E402
from support.schedule_reference import LEAVES  # noqa: E402

STEPS = 30


def written(array: Any) -> list[Any]:
    return [array.dtype.name, list(array.shape), array.tobytes().hex()]


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def expected(training: Any) -> dict[str, Any]:
    """The content of the files; after they have been made, training continues."""
    groups = [{k: plain(v) for k, v in g.items() if k != "params"} for g in training.optimizer.param_groups]
    found = {
        "parameters": [written(array) for array in training.values()],
        "states": [{name: written(value) for name, value in state.items()} for state in training.states()],
        "groups": groups,
    }
    training.train(range(BEFORE, BEFORE + AFTER))
    return found | {"after": [written(array) for array in training.values()]}


def parts(trainings: list[Any]) -> dict[str, Any]:
    return {f"{each.run.name}/{name}": part for each in trainings for name, part in each.parts.items()}


def saved(trainings: list[Any], ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"run{ending}"
        checkpoint.save(path, **parts(trainings))
        return path.read_bytes()


def of_torch(trainings: list[Any]) -> bytes:
    file = io.BytesIO()
    torch.save({name: part.state_dict() for name, part in parts(trainings).items()}, file)
    return file.getvalue()


def pickled(trainings: list[Any]) -> bytes:
    return pickle.dumps({each.run.name: each.parts for each in trainings if "driver" not in each.parts}, protocol=4)


def main(version: str) -> None:
    folder = HERE / version
    folder.mkdir()
    arrays = [OverArrays(run).train(range(BEFORE)) for run in RUNS]
    tensors = [OverTensors(run).train(range(BEFORE)) for run in TENSOR_RUNS]
    schedules = [*LEAVES, *COMPOSED]
    files = {
        "arrays.npz": saved(arrays, ".npz"),
        "arrays.pkl": pickled(arrays),
        "tensors.pt": saved(tensors, ".pt"),
        "tensors_of_torch.pt": of_torch(tensors),
        "tensors.pkl": pickled(tensors),
        "schedules.json": json.dumps([each.to_json() for each in schedules]).encode(),
        "schedules.pkl": pickle.dumps(schedules, protocol=4),
    }
    known = {
        "arrays": {each.run.name: expected(each) for each in arrays},
        "tensors": {each.run.name: expected(each) for each in tensors},
        "schedules": [[each(t).hex() for t in range(STEPS)] for each in schedules],
    }
    files["expected.json"] = json.dumps(known).encode()
    for name, content in files.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
