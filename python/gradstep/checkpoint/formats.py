"""The formats of checkpoint files, by the ending of the path."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Protocol

from gradstep.checkpoint.numpy_format import NumpyFormat
from gradstep.checkpoint.torch_format import TorchFormat

__all__ = ["Format", "format_of"]


class Format(Protocol):
    """Writes and reads content, without running code from the file."""

    def pack(self, content: dict[str, Any]) -> Any:
        """Prepare the content for `write`. Raises TypeError for values that can't be written."""

    def write(self, packed: Any, file: IO[bytes]) -> None: ...

    def read(self, path: Path) -> dict[str, Any]: ...


_FORMATS: dict[str, type[Format]] = {".npz": NumpyFormat, ".pt": TorchFormat, ".pth": TorchFormat}


def format_of(path: Path) -> Format:
    """The format that a path's ending names."""
    if path.suffix not in _FORMATS:
        raise ValueError(f"{path} ends in {path.suffix!r}: it must end in .npz (NumPy) or in .pt or .pth (torch)")
    return _FORMATS[path.suffix]()
