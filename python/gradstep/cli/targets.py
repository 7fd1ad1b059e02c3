"""The files and folders that a command will write: tried before it works, because it may work for an hour."""

from pathlib import Path

import typer

__all__ = ["check_file", "check_folder"]


def check_file(path: Path | None, option: str) -> None:
    """Make the folder of a file and try to write there; an existing file stays as it is. None is no file.

    Raises:
        typer.BadParameter: it can't be written.
    """
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists()
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise typer.BadParameter(
            f"{path} can't be written ({error.strerror}): name a file in a folder that can", param_hint=option
        ) from error


def check_folder(path: Path, option: str) -> None:
    """Make a folder and try to write into it.

    Raises:
        typer.BadParameter: that is impossible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(
            f"{path} can't be made a folder ({error.strerror}): name one that can", param_hint=option
        ) from error
    check_file(path / ".gradstep", option)
