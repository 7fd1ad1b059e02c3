"""Save a run and go on with it as if it had never stopped.

>>> import numpy as np, gradstep, pathlib, tempfile
>>> from gradstep import checkpoint
>>> path = pathlib.Path(tempfile.mkdtemp()) / "run.npz"
>>> w = np.zeros(2)
>>> opt = gradstep.Adam([w], lr=gradstep.CosineDecay(0.1, steps=100))
>>> opt.step([np.array([1.0, -2.0])])
>>> checkpoint.save(path, w=w, optimizer=opt, epoch=3)

In another process, after the same lines:

>>> v = np.zeros(2)
>>> resumed = gradstep.Adam([v], lr=gradstep.CosineDecay(0.1, steps=100))
>>> checkpoint.restore(path, w=v, optimizer=resumed)
{'epoch': 3}
>>> v
array([-0.1,  0.1])

``run.pt`` instead of ``run.npz`` is a file of torch, for tensors.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from gradstep.checkpoint.archive import limits as limits
from gradstep.checkpoint.atomic import write_atomically
from gradstep.checkpoint.formats import format_of
from gradstep.checkpoint.parts import pieces, put_back, state_of
from gradstep.checkpoint.randomness import randomness, set_randomness

__all__ = ["load", "restore", "save"]

_RANDOMNESS = "randomness"


def save(path: str | os.PathLike[str], **parts: Any) -> None:
    """Write a checkpoint: the given parts, and the random states of Python, NumPy and (where it is imported) torch.

    The file is there as a whole or not at all: it is written beside its place as ``<path>.partial``, brought to the
    disk and then renamed. A process killed at any moment leaves the checkpoint from before or the new one. One process
    at a time may write to a path. A file that was there keeps its mode, and a symbolic link goes on to name it.

    It ends in a SHA-256 digest of itself, by which :func:`load` finds any damage. That is read and written once more
    for it.

    Args:
        path: ``*.npz`` for NumPy arrays, read by ``np.load(path, allow_pickle=False)``; ``*.pt`` or ``*.pth`` for
            torch tensors, read by ``torch.load(path, weights_only=True)``, in which NumPy arrays become tensors.
        parts: by any name, whatever the run needs to go on: objects with a ``state_dict`` (models, optimizers with
            their schedules' clocks, Plateau, a GradScaler, a data loader), random generators of Python, NumPy and
            torch, and plain data: arrays, numbers, text, and dicts, lists and tuples of them.

    Raises:
        TypeError: a part holds something else; the message says where. What was at ``path`` is still there.
        ValueError: the path has another ending, a part has the name ``randomness``, or parts hold themselves.
    """
    if _RANDOMNESS in parts:
        raise ValueError(f"a part can't be named {_RANDOMNESS!r}, under which the random states are kept: rename it")
    target = Path(path)
    file_format = format_of(target)
    content = {name: state_of(part) for name, part in parts.items()} | {_RANDOMNESS: randomness()}
    packed = file_format.pack(content)
    write_atomically(target, lambda file: file_format.write(packed, file))


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a checkpoint holds, as plain data, without changing anything: state dicts, arrays and numbers by name.

    Args:
        path: what was given to :func:`save`.

    Raises:
        OSError: there is no such file.
        ValueError: the path has another ending than those of :func:`save`; the file is damaged or no checkpoint; or it
            unpacks to more bytes than ``checkpoint.limits.unpacked``, which a caller may raise.
    """
    return format_of(Path(path)).read(Path(path))


def restore(path: str | os.PathLike[str], **parts: Any) -> dict[str, Any]:
    """Put a checkpoint's states back into the given parts and the random states into Python, NumPy and torch.

    Objects get theirs by ``load_state_dict``; arrays and tensors, also in dicts, lists and tuples, in place. All parts
    are restored or none: everything is checked that can be checked before, and after an exception, of a part's
    ``load_state_dict`` or any other, all get back what they had, in the same way.

    Args:
        path: what was given to :func:`save`.
        parts: by the names that they were saved under.

    Returns:
        The rest by name: what was saved and is not among the given parts, such as numbers.

    Raises:
        ValueError: a part is not in the checkpoint, or an array has another shape or dtype; nothing has been changed.
        TypeError: a part is nothing that can be changed in place; nothing has been changed.
    """
    content = load(path)
    states = content.pop(_RANDOMNESS)
    if missing := [name for name in parts if name not in content]:
        raise ValueError(f"{os.fspath(path)} has no {', '.join(missing)}: it has {', '.join(content)}")
    due = pieces(parts, content)
    held = [(part, copy.deepcopy(state_of(part))) for part, _ in due]
    before = randomness()
    try:
        for part, state in due:
            put_back(part, state)
        set_randomness(states)
    except BaseException:
        for part, state in held:
            put_back(part, state)
        set_randomness(before)
        raise
    return {name: state for name, state in content.items() if name not in parts}
