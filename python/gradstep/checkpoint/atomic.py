"""Atomic replacement of files, with the permissions of the file that was there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

__all__ = ["write_atomically"]


def write_atomically(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Let ``write`` fill a temporary file in the same folder, sync it to disk and rename it to ``path``.

    If ``path`` is a symbolic link, its target is replaced. An existing file keeps its mode.
    """
    path = Path(os.path.realpath(path))
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)  # left by a killed process; if it is a link, it must not be followed
    try:
        with open(partial, "x+b", opener=_opener(0o666 if mode is None else mode)) as file:
            if mode is not None:
                os.chmod(partial, mode)  # regardless of the umask
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _opener(mode: int) -> Callable[[str, int], int]:
    return lambda name, flags: os.open(name, flags, mode)


def _sync_folder(folder: Path) -> None:
    """Sync the renaming itself to disk, on systems where a folder can be opened."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
