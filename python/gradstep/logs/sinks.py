"""Destinations of a log. A sink is any object with ``write(step, values)`` and ``close()``."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Mapping
from typing import IO, Any, Protocol

from gradstep.interop.scalars import shown

__all__ = ["CsvSink", "Sink", "TensorBoardSink", "WandbSink"]

_BLOCK = 2**16


class Sink(Protocol):
    """Receives the numbers of each step."""

    def write(self, step: int, values: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class CsvSink:
    """A CSV file with a row for each step. Rows are flushed as they are written, so that a killed run keeps them.

    Args:
        path: the file. Rows are appended to an existing one; an incomplete last row, left by a killed run, is removed.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.csv"
    >>> sink = CsvSink(path)
    >>> sink.write(7, {"rate": 0.1})
    >>> sink.close()
    >>> print(path.read_text())
    step,rate
    7,0.1
    <BLANKLINE>
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        _drop_torn_line(path)
        self._file = open(path, "a+", newline="", encoding="utf-8")  # noqa: SIM115, closed by close()
        self._file.seek(0)
        self._columns = next(csv.reader(self._file), None)

    def __repr__(self) -> str:
        return f"CsvSink({str(self._file.name)!r})"

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row.

        Raises:
            ValueError: the file has other columns; nothing has been written.
        """
        columns = ["step", *values]
        rows: list[list[Any]] = [[step, *values.values()]]
        if self._columns is None:
            self._columns = columns
            rows.insert(0, columns)
        if columns != self._columns:
            raise ValueError(
                f"{self._file.name} has the columns {', '.join(self._columns)}, but there is {', '.join(columns)} to "
                "write: give each log a separate file"
            )
        csv.writer(self._file, lineterminator="\n").writerows(rows)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _drop_torn_line(path: str | os.PathLike[str]) -> None:
    """Truncate a log after its last complete line. A file that is not a log is left unchanged."""
    if not os.path.exists(path):
        return
    with open(path, "r+b") as file:
        if not b"step".startswith(file.read(4)):
            return
        end = size = file.seek(0, os.SEEK_END)
        while end and (last := _read(file, max(0, end - _BLOCK), end).rfind(b"\n")) < 0:
            end = max(0, end - _BLOCK)
        if end:
            end = max(0, end - _BLOCK) + last + 1
        if end < size:
            file.truncate(end)


def _read(file: IO[bytes], first: int, end: int) -> bytes:
    file.seek(first)
    return file.read(end - first)


class TensorBoardSink:
    """Scalars for TensorBoard; needs only the package ``tensorboard``.

    Args:
        folder: the folder for ``tensorboard --logdir``; created if it does not exist.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(os.fspath(folder))

    def __repr__(self) -> str:
        return f"TensorBoardSink({self._writer.get_logdir()!r})"

    def write(self, step: int, values: Mapping[str, float]) -> None:
        scalars = [self._summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        event = self._event(wall_time=time.time(), step=step, summary=self._summary(value=scalars))
        self._writer.add_event(event)

    def close(self) -> None:
        self._writer.close()


class WandbSink:
    """Metrics of a Weights & Biases run.

    Args:
        run: the run that ``wandb.init(...)`` returned. Closing the sink leaves it open: it belongs to the caller.
    """

    def __init__(self, run: Any) -> None:
        self._run = run

    def __repr__(self) -> str:
        return f"WandbSink({shown(self._run)})"

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        pass
