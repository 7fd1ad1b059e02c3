"""The common part of both checkpoint formats: a zip archive that ends in a digest of all bytes before it.

The digest is in the archive's comment, which NumPy, torch and zip tools ignore. It is checked before anything else is
read, so that no damaged byte is ever interpreted. Earlier versions wrote files without a digest; these are checked by
the check sums of the archive. The content of newer files is marked, so that a lost digest is noticed.
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
    """The largest checkpoint that is read. It can be raised: ``gradstep.checkpoint.limits.unpacked = 10**11``.

    Args:
        unpacked: the bytes of the arrays in a compressed archive. :func:`gradstep.checkpoint.save` does not compress;
            its files never take more memory than their size, and are not limited.
    """

    unpacked: int = 2**30


limits = Limits()


def marked(content: dict[str, Any]) -> dict[str, Any]:
    """Mark the content of a file that has a digest.

    Raises:
        ValueError: a part has the name of the mark.
    """
    if _MARK in content:
        raise ValueError(f"a part can't be named {_MARK!r}, by which checkpoints are known: rename it")
    return {**content, _MARK: _VERSION}


@contextmanager
def refusing_depth() -> Iterator[None]:
    """Raise a clear error for parts that are nested too deeply."""
    try:
        yield
    except RecursionError:
        raise ValueError("the parts are nested too deeply to be saved, or hold themselves: save flatter ones") from None


def seal(file: IO[bytes]) -> None:
    """Append the digest of a zip archive, which has no comment yet, to it."""
    file.seek(-2, os.SEEK_END)  # the length of the comment
    file.write((len(_TITLE) + _DIGITS).to_bytes(2, "little") + _TITLE)
    file.seek(0)
    digest = _digest(file, None)
    file.seek(0, os.SEEK_END)
    file.write(digest)


def unmarked(content: Any, path: Path, sealed: bool) -> dict[str, Any]:
    """The content that was given to :func:`marked`.

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
    """Open a checkpoint's file for reading; yields the file and whether its digest was checked.

    Raises:
        OSError: there is no such file, or it can't be read.
        ValueError: it is damaged, takes more memory than :class:`Limits` allows or, within the block, does not hold
            what it should.
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
        except Exception as error:  # NumPy and torch raise errors of many types for such bytes
            raise _damaged(path) if sealed else _not_ours(path) from error


class _Refused(ValueError):
    """An error whose message is meant for the caller."""


def _damaged(path: Path) -> _Refused:
    return _Refused(f"{path} is damaged: it is not as gradstep.checkpoint.save wrote it; go on from another checkpoint")


def _not_ours(path: Path) -> _Refused:
    return _Refused(
        f"{path} is damaged, or not a checkpoint of gradstep.checkpoint.save: go on from another, or read it with the "
        "library that wrote it"
    )


def _is_sealed(file: IO[bytes], path: Path) -> bool:
    """Whether the file ends in a digest. Raises ValueError if the digest is wrong."""
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
    """The digest of so many bytes, or of all remaining ones."""
    digest = hashlib.sha256()
    while block := file.read(_BLOCK if count is None else min(_BLOCK, count)):
        digest.update(block)
        count = None if count is None else count - len(block)
    return digest.hexdigest().encode()


def _check_sizes(file: IO[bytes], path: Path) -> None:
    """Refuse an archive that unpacks to much more than its size."""
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
    """Check the members against their check sums, which torch does not do. torch may also have left them out."""
    with zipfile.ZipFile(file) as archive:
        if any(each.CRC for each in archive.infolist()) and archive.testzip() is not None:
            raise _damaged(path)
