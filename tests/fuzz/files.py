"""Checkpoints come back as they were; damaged ones are refused, and nothing has happened."""

import tempfile
import warnings
from pathlib import Path

from gradstep import checkpoint

from .drawing import Draw, NotApplicable
from .routes import made
from .setups import any_setup
from .trainings import Training, assert_same, check_words


def files(draw: Draw) -> str:
    """Save, damage, restore; then the whole file."""
    setup = any_setup(draw, awkward=False)
    training, twin = made("the twins", lambda: Training(setup), lambda: Training(setup))
    if any(array.dtype == "bf16" for array in setup.arrays) and training.layer == "numpy":
        raise NotApplicable("NumPy's files have no bfloat16")
    training.run(2)
    if training.optimizer.accumulated:
        raise NotApplicable("between two updates")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / ("run.npz" if training.layer == "numpy" else "run.pt")
        try:
            checkpoint.save(path, parameters=training.parameters, optimizer=training.optimizer, epoch=3)
        except TypeError as refused:
            raise NotApplicable(str(refused)) from refused
        whole = path.read_bytes()
        twin.run(1)
        before = twin.look()
        for _ in range(8):
            path.write_bytes(damage(draw, whole))
            try:
                checkpoint.restore(path, parameters=twin.parameters, optimizer=twin.optimizer)
            except (ValueError, OSError) as refused:
                check_words(refused, "the file")
                assert_same(twin.look(), before, f"a damaged file, refused by {refused}")
            else:
                raise AssertionError("a damaged file was read")
        path.write_bytes(whole)
        rest = checkpoint.restore(path, parameters=twin.parameters, optimizer=twin.optimizer)
    assert rest == {"epoch": 3}
    assert_same(twin.result(), training.result(), "what a whole file restores")
    return path.suffix


def damage(draw: Draw, whole: bytes) -> bytes:
    """Other bytes than the whole file's."""
    kind = draw.randrange(4)
    if kind == 0:
        return whole[: draw.randrange(len(whole))]
    place = draw.randrange(len(whole))
    if kind == 1:
        return whole[:place] + bytes([draw.randrange(256)]) + whole[place:]
    end = min(len(whole), place + draw.choice([1, 1, 4, 64]))
    return whole[:place] + bytes(each ^ draw.randrange(1, 256) for each in whole[place:end]) + whole[end:]
