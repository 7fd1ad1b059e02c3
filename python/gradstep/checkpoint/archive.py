"""What both kinds of checkpoint have in common: a zip archive whose last bytes are the digest of all before them.

The digest is in the archive's comment, which NumPy, torch and zip tools pass over. A file is compared with it before
anything of it is read, so that no damaged byte is ever interpreted. Files without one, which earlier versions wrote,
are read by the check sums of the archive; the content of later ones is marked, so that none can lose its digest.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

__all__ = ["Limits", "limits", "marked", "opened", "refusing_depth", "seal", "unmarked"]

_MARK, _VERSION = "gradstep.checkpoint", 1
_TITLE = b"gradstep checkpoint, sha256 "
_DIGITS = 64
_BLOCK = 2**20


@dataclass
class Limits:
    """How large a checkpoint may be; raise what is in the way: ``gradstep.checkpoint.limits.unpacked = 10**11``.

    Args:
        unpacked: bytes that the arrays of a compressed archive may take. :func:`gradstep.checkpoint.save` compresses
            nothing: what it has written never takes more than the file, and is not limited.
    """

    unpacked: int = 2**30


limits = Limits()


def marked(content: dict[str, Any]) -> dict[str, Any]:
    """The content with a mark that says that its file has a digest.

    Raises:
        ValueError: a part has the name of the mark.
    """
    if _MARK in content:
        raise ValueError(f"a part can't be named {_MARK!r}, by which checkpoints are known: rename it")
    return {**content, _MARK: _VERSION}


@contextmanager
def refusing_depth() -> Iterator[None]:
    """Turn the error for parts that are nested too deeply into one for the caller."""
    try:
        yield
    except RecursionError:
        raise ValueError("the parts are nested too deeply to be saved, or hold themselves: save flatter ones") from None


def seal(file: IO[bytes]) -> None:
    """Complete a zip archive, which has no comment yet, by the digest of all of it."""
    file.seek(-2, os.SEEK_END)  # the length of the comment
    file.write((len(_TITLE) + _DIGITS).to_bytes(2, "little") + _TITLE)
    file.seek(0)
    digest = _digest(file, None)
    file.seek(0, os.SEEK_END)
    file.write(digest)


def unmarked(content: Any, path: Path, sealed: bool) -> dict[str, Any]:
    """What was given to :func:`marked`.

    Raises:
        ValueError: it was not, or its file has lost its digest.
    """
    if not isinstance(content, dict) or "randomness" not in content:
        raise _not_ours(path)
    if content.pop(_MARK, None) is not None and not sealed:
        raise _damaged(path)
    return content


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """A checkpoint's file, open for reading, and whether it was compared with a digest of its own.

    Raises:
        OSError: there is no such file, or it can't be read.
        ValueError: it is damaged, it takes more room than :class:`Limits` allows, or, within the block, it can't be
            read as what it should be.
    """
    with open(path, "rb") as file:
        sealed = _is_sealed(file, path)
        try:
            _check_sizes(file, path)
            if not sealed:
                _check_sums(file, path)
            file.seek(0)
            yield file, sealed
        except (_Refused, MemoryError, ModuleNotFoundError):
            raise
        except Exception as error:  # whatever NumPy and torch say of such bytes
            raise _damaged(path) if sealed else _not_ours(path) from error


class _Refused(ValueError):
    """An error whose words are for the caller."""


def _damaged(path: Path) -> _Refused:
    return _Refused(f"{path} is damaged: it is not as gradstep.checkpoint.save wrote it; go on from another checkpoint")


def _not_ours(path: Path) -> _Refused:
    return _Refused(
        f"{path} is damaged, or no checkpoint that gradstep.checkpoint.save wrote: go on from another, or read it with "
        "what wrote it"
    )


def _is_sealed(file: IO[bytes], path: Path) -> bool:
    """Whether the file ends in its digest; raises ValueError where it ends in another."""
    end = file.seek(0, os.SEEK_END) - _DIGITS
    if end < len(_TITLE):
        return False
    file.seek(end - len(_TITLE))
    if file.read(len(_TITLE)) != _TITLE:
        return False
    expected = file.read(_DIGITS)
    file.seek(0)
    if not hmac.compare_digest(_digest(file, end), expected):
        raise _damaged(path)
    return True


def _digest(file: IO[bytes], count: int | None) -> bytes:
    """That of so many bytes, or of all that are left."""
    digest = hashlib.sha256()
    while block := file.read(_BLOCK if count is None else min(_BLOCK, count)):
        digest.update(block)
        count = None if count is None else count - len(block)
    return digest.hexdigest().encode()


def _check_sizes(file: IO[bytes], path: Path) -> None:
    """Refuse an archive that unpacks to much more than it is."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    if any(each.compress_type == zipfile.ZIP_STORED and each.file_size != each.compress_size for each in members):
        raise _damaged(path)
    unpacked = sum(each.file_size for each in members)
    if unpacked > max(limits.unpacked, file.seek(0, os.SEEK_END)):
        raise _Refused(
            f"{path} unpacks to {unpacked} bytes, and the limit is {limits.unpacked}: to allow more, set "
            "gradstep.checkpoint.limits.unpacked"
        )


def _check_sums(file: IO[bytes], path: Path) -> None:
    """Compare the members of an archive with their check sums, which torch does not; it may have left them out."""
    with zipfile.ZipFile(file) as archive:
        if any(each.CRC for each in archive.infolist()) and archive.testzip() is not None:
            raise _damaged(path)
