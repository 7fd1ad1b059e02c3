"""Checkpoints: a resumed run gives the bits of an uninterrupted one.

>>> import numpy as np, gradstep, pathlib, tempfile
>>> from gradstep import checkpoint
>>> path = pathlib.Path(tempfile.mkdtemp()) / "run.npz"
>>> w = np.zeros(2)
>>> opt = gradstep.Adam([w], lr=gradstep.CosineDecay(0.1, steps=100))
>>> opt.step([np.array([1.0, -2.0])])
>>> checkpoint.save(path, w=w, optimizer=opt, epoch=3)

In another process, after the same definitions:

>>> v = np.zeros(2)
>>> resumed = gradstep.Adam([v], lr=gradstep.CosineDecay(0.1, steps=100))
>>> checkpoint.restore(path, w=v, optimizer=resumed)
{'epoch': 3}
>>> v
array([-0.1,  0.1])

With the name ``run.pt`` the file is torch's, for tensors.
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

    The file is replaced atomically: it is written as ``<path>.partial``, synced to disk and then renamed. A process
    killed at any moment leaves either the old checkpoint or the new one. Only one process at a time may write to a
    path. An existing file keeps its mode, and a symbolic link still points to the new file.

    It ends in a SHA-256 digest of its content, by which :func:`load` detects any damage; computing it reads the file
    once.

    Args:
        path: ``*.npz`` for NumPy arrays, read by ``np.load(path, allow_pickle=False)``; ``*.pt`` or ``*.pth`` for
            torch tensors, read by ``torch.load(path, weights_only=True)``, in which NumPy arrays become tensors.
        parts: whatever the run needs to go on, by name: objects with a ``state_dict`` (models, optimizers with the
            step counts of their schedules, Plateau, a GradScaler, a data loader), random generators of Python, NumPy
            and torch, and plain data: arrays, numbers, text, and dicts, lists and tuples of them.

    Raises:
        TypeError: a part holds something else; the message says where. An existing file is unchanged.
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
    """Read a checkpoint as plain data, without changing anything: state dicts, arrays and numbers by name.

    Args:
        path: the path that was given to :func:`save`.

    Raises:
        OSError: there is no such file.
        ValueError: the path has another ending than those of :func:`save`; the file is damaged or not a checkpoint; or
            it unpacks to more bytes than ``checkpoint.limits.unpacked``, which a caller may raise.
    """
    return format_of(Path(path)).read(Path(path))


def restore(path: str | os.PathLike[str], **parts: Any) -> dict[str, Any]:
    """Put a checkpoint's states back into the given parts and the random states into Python, NumPy and torch.

    Objects are restored by ``load_state_dict``; arrays and tensors, also in dicts, lists and tuples, in place. Either
    all parts are restored or none: everything that can be checked is checked first, and after an exception, in a part's
    ``load_state_dict`` for example, all parts get back what they had.

    Args:
        path: the path that was given to :func:`save`.
        parts: by the names that they were saved under.

    Returns:
        The saved entries that are not among the given parts, such as numbers, by name.

    Raises:
        ValueError: a part is not in the checkpoint, or an array has another shape or dtype; nothing has been changed.
        TypeError: a part can't be changed in place; nothing has been changed.
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
