"""Where logs are written: every sink's output, read back."""

import csv
import json
import math
import struct
import time

import numpy as np
import pytest

from gradstep.logs import CsvSink, TensorBoardSink, WandbSink

ROWS = [{"rate": 0.1, "gradient_norm": 1 / 3}, {"rate": 1e-300, "gradient_norm": math.inf}]


def written_to(sink):
    for step, row in zip((3, 70_000), ROWS, strict=True):
        sink.write(step, row)
    sink.close()


def test_a_csv_file_holds_every_digit(tmp_path):
    written_to(CsvSink(tmp_path / "run.csv"))
    again = CsvSink(tmp_path / "run.csv")
    again.write(70_001, ROWS[0])
    with open(tmp_path / "run.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "rate", "gradient_norm"]
    found = [[float(cell) for cell in row] for row in rows[1:]]
    assert found == [[3, *ROWS[0].values()], [70_000, *ROWS[1].values()], [70_001, *ROWS[0].values()]]
    with pytest.raises(ValueError, match=r"run.csv has the columns step, rate, gradient_norm, but there is step, loss"):
        again.write(70_002, {"loss": 1.0})
    again.close()


@pytest.mark.parametrize("torn", ["7", "70_001,0.1", "70001,0.1,0.33333", "7" * 100_000, "step,ra"])
def test_a_torn_last_row_is_taken_away(tmp_path, torn):
    path = tmp_path / "run.csv"
    written_to(CsvSink(path))
    header, *rows = path.read_text().splitlines()
    kept = [] if torn == "step,ra" else rows
    path.write_text("".join(f"{line}\n" for line in (header, *kept) if kept) + torn)
    written_to(CsvSink(path))
    assert path.read_text().splitlines() == [header, *kept, *rows]


def test_a_file_that_is_no_log_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("one line without an end")
    sink = CsvSink(path)
    with pytest.raises(ValueError, match=r"notes.txt has the columns one line without an end, but there is step"):
        sink.write(1, {"rate": 0.1})
    sink.close()
    assert path.read_text() == "one line without an end"


def test_tensorboard_reads_it(tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    written_to(TensorBoardSink(tmp_path / "board"))
    read = accumulators.EventAccumulator(str(tmp_path / "board"))
    read.Reload()
    assert read.Tags()["scalars"] == ["rate", "gradient_norm"]
    for name in ROWS[0]:
        found = [(event.step, event.value) for event in read.Scalars(name)]
        # the format keeps float32
        assert found == [(3, np.float32(ROWS[0][name])), (70_000, np.float32(ROWS[1][name]))]


def logged_records(data):
    """The records of W&B's offline file: LevelDB's log format in blocks of 32 KiB, after a header of 7 bytes."""
    position, record = 7, b""
    while position + 7 <= len(data):
        if (left := 32768 - position % 32768) < 7:
            position += left
            continue
        length, kind = struct.unpack("<HB", data[position + 4 : position + 7])
        if position + 7 + length > len(data):
            return  # it is still being written
        record += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield record
            record = b""


@pytest.mark.slow
def test_wandb_keeps_it_offline(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for kind in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{kind}_DIR", str(tmp_path))
    run = wandb.init(project="gradstep", dir=tmp_path)
    written_to(WandbSink(run))
    run.finish()
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")

    def rows():
        for record in map(Record.FromString, logged_records(file.read_bytes())):
            if record.WhichOneof("record_type") == "history":
                items = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
                yield {name: float(items[name]) for name in ("_step", *ROWS[0])}

    latest = time.monotonic() + 60  # another process writes the file, which may go on after finish()
    while len(found := list(rows())) < len(ROWS) and time.monotonic() < latest:
        time.sleep(0.1)
    assert found == [{"_step": 3, **ROWS[0]}, {"_step": 70_000, **ROWS[1]}]
