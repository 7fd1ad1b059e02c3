"""Checkpoints are whole or refused: damaged, foreign and oversized files, and the files that saving replaces."""

import io
import json
import pickle
import random
import re
import subprocess
import sys
import textwrap
import tracemalloc
import zipfile

import numpy as np
import pytest

import gradstep
from gradstep import checkpoint
from gradstep.checkpoint.archive import limits
from gradstep.checkpoint.formats import format_of

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402

KINDS = ("npz", "pt")
each_kind = pytest.mark.parametrize("kind", KINDS)
DAMAGED = "is damaged: it is not as gradstep.checkpoint.save wrote it; go on from another checkpoint"
NOT_OURS = "is damaged, or not a checkpoint of gradstep.checkpoint.save: go on from another, or read it with"
#: words that no caller has used
INTERNALS = re.compile(r"zip|pickl|archive|header|magic|CRC|directory|JSON|struct|storage|npy|tensor", re.IGNORECASE)


@pytest.fixture(autouse=True)
def _small_random_states(monkeypatch):
    """Files of some kilobytes: the random states of a process would be most of them."""
    monkeypatch.setattr(checkpoint, "randomness", lambda: {"none": 0})
    monkeypatch.setattr(checkpoint, "set_randomness", lambda states: None)


def parts(kind):
    if kind == "npz":
        arrays = [np.linspace(-1, 1, 7, dtype=np.float32), np.arange(6.0).reshape(2, 3).T]
        optimizer = gradstep.NAdam(arrays, lr=gradstep.Linear(0.1, 0.0, 9))
        optimizer.step([np.ones(7, np.float32), np.ones((3, 2))])
        return {"arrays": arrays, "optimizer": optimizer, "epoch": 3, "nested": {"text": "déjà", 3: (1, [2.5])}}
    tensors = [torch.linspace(-1, 1, 7), torch.arange(6.0, dtype=torch.float64)]
    optimizer = optim.NAdam(tensors, lr=gradstep.Linear(0.1, 0.0, 9))
    for tensor in tensors:
        tensor.grad = torch.ones_like(tensor)
    optimizer.step()
    return {"tensors": tensors, "optimizer": optimizer, "epoch": 3, "nested": {"text": "déjà", 3: (1, [2.5])}}


def saved(kind, path):
    checkpoint.save(path, **parts(kind))
    return path.read_bytes()


def without_digest(kind):
    """A file as earlier versions wrote it: no digest in its comment, and no mark in its content."""
    content = {name: checkpoint.state_of(part) for name, part in parts(kind).items()} | {"randomness": {"none": 0}}
    file = io.BytesIO()
    if kind == "pt":
        torch.save(content, file)
    else:
        packed = format_of(checkpoint.Path("run.npz")).pack(content)
        structure = json.loads(str(packed["structure"]))
        assert structure["dict"].pop()[0] == "gradstep.checkpoint"
        np.savez(file, **packed | {"structure": np.array(json.dumps(structure))})
    return file.getvalue()


def loaded(path, data):
    """The content of the damaged bytes, as text; None if they are refused with a clear message."""
    path.write_bytes(data)
    try:
        return repr(checkpoint.load(path))
    except ValueError as error:
        words = str(error).removeprefix(str(path))
        assert DAMAGED in words or NOT_OURS in words or " unpacks to " in words, words
        assert not INTERNALS.search(words)
        return None


def flipped(data, positions):
    damaged = bytearray(data)
    for position in positions:
        damaged[position // 8] ^= 1 << position % 8
    return bytes(damaged)


@each_kind
def test_every_flipped_bit_is_found(kind, tmp_path):
    path = tmp_path / f"run.{kind}"
    data, chance = saved(kind, path), random.Random(1)
    whole = repr(checkpoint.load(path))
    bits = 8 * len(data)
    ends = [*range(800), *range(bits - 1600, bits)]
    for position in (*ends, *chance.sample(range(bits), 1500)):
        assert loaded(path, flipped(data, [position])) is None, position
    for _ in range(100):
        several = chance.sample(range(bits), 2) + chance.sample(range(bits - 1600, bits), 2)
        assert loaded(path, flipped(data, several)) is None, several
    assert loaded(path, data) == whole


@each_kind
def test_other_damage_is_found(kind, tmp_path):
    path = tmp_path / f"run.{kind}"
    data, chance = saved(kind, path), random.Random(2)
    for length in (*range(100), *chance.sample(range(len(data)), 50), len(data) - 1):
        assert loaded(path, data[:length]) is None
    for _ in range(80):
        first, length = chance.randrange(len(data)), chance.randrange(1, 600)
        block = data[first : first + length]
        for other in (bytes(len(block)), chance.randbytes(len(block)), b""):
            if other != block:
                assert loaded(path, data[:first] + other + data[first + len(block) :]) is None
    for tail in (b"\0", b"tail", data, bytes(70_000)):
        assert loaded(path, data + tail) is None
    assert loaded(path, chance.randbytes(1000)) is None


@each_kind
def test_a_file_without_digest_gives_its_values_or_is_refused(kind, tmp_path):
    path = tmp_path / f"run.{kind}"
    data, chance = without_digest(kind), random.Random(3)
    saved(kind, path)
    whole = repr(checkpoint.load(path))
    assert loaded(path, data) == whole
    found = [loaded(path, flipped(data, chance.sample(range(8 * len(data)), count))) for count in (1, 2, 5) * 150]
    assert set(found) <= {whole, None}
    assert found.count(None) > 300
    for length in chance.sample(range(len(data)), 50):
        assert loaded(path, data[:length]) is None


def test_torch_may_leave_out_its_check_sums(tmp_path):
    path = tmp_path / "run.pt"
    saved("pt", path)
    whole = repr(checkpoint.load(path))
    computed = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        assert loaded(path, without_digest("pt")) == whole
        saved("pt", path)
    finally:
        torch.serialization.set_crc32_options(computed)
    assert repr(checkpoint.load(path)) == whole


def write_with(save, path, **arrays):
    """Into a file of that very name: NumPy adds an ending to a path."""
    with path.open("wb") as file:
        save(file, **arrays)


FOREIGN = {
    "nothing": lambda path: path.write_bytes(b""),
    "a text": lambda path: path.write_text("no checkpoint"),
    "a pickle": lambda path: path.write_bytes(pickle.dumps({"randomness": {}})),
    "arrays": lambda path: write_with(np.savez, path, a=np.ones(2)),
    "an array": lambda path: write_with(np.save, path, arr=np.ones(2)),
    "objects": lambda path: write_with(np.savez, path, structure=np.array([{}], object)),
    "tensors": lambda path: torch.save({"a": torch.ones(2)}, path),
    "one tensor": lambda path: torch.save(torch.ones(2), path),
    "torch's old format": lambda path: torch.save({"randomness": {}}, path, _use_new_zipfile_serialization=False),
    "code": lambda path: torch.save({"randomness": print}, path),
    "another archive": lambda path: zipfile.ZipFile(path, "w").writestr("readme", "text"),
    "deep nests": lambda path: write_with(np.savez, path, structure=np.array('{"list":[' * 10_000)),
}


@each_kind
@pytest.mark.parametrize("foreign", FOREIGN)
def test_foreign_files_are_refused_in_words(kind, foreign, tmp_path):
    path = tmp_path / f"run.{kind}"
    FOREIGN[foreign](path)
    with pytest.raises(ValueError, match=re.escape(f"{path} {NOT_OURS}")) as refused:
        checkpoint.load(path)
    assert not INTERNALS.search(str(refused.value).removeprefix(str(path)))
    with pytest.raises(ValueError, match=re.escape(f"{path} {NOT_OURS}")):
        checkpoint.restore(path, weights=np.zeros(2))


@each_kind
def test_what_is_no_file(kind, tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / f"none.{kind}")
    (tmp_path / f"folder.{kind}").mkdir()
    with pytest.raises(OSError, match="folder"):
        checkpoint.load(tmp_path / f"folder.{kind}")


def bomb(kind, path, size):
    """A small file of so many zeros, with the content of a checkpoint beside them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with zipfile.ZipFile(io.BytesIO(without_digest(kind))) as whole:
            for name in whole.namelist():
                archive.writestr(name, whole.read(name))
            folder = whole.namelist()[0].split("/")[0]
        with archive.open(f"{folder}/zeros", "w") as member:
            for _ in range(size // 2**20):
                member.write(bytes(2**20))


@each_kind
def test_what_unpacks_to_much_more_is_refused_before(kind, tmp_path, monkeypatch):
    path = tmp_path / f"run.{kind}"
    assert limits.unpacked == 2**30
    bomb(kind, path, 2**26)
    assert path.stat().st_size < 2**20
    monkeypatch.setattr(limits, "unpacked", 2**25)
    with pytest.raises(
        ValueError, match=r"unpacks to \d{8} bytes, and the limit is 33554432: .*set gradstep.checkpoint."
    ):
        checkpoint.load(path)
    monkeypatch.setattr(limits, "unpacked", 2**27)
    assert checkpoint.load(path)["epoch"] == 3


def test_an_array_is_no_larger_than_its_file(tmp_path):
    """A header that asks for 8 TB is refused before room is made for them."""
    path = tmp_path / "run.npz"
    small = io.BytesIO()
    np.lib.format.write_array_header_1_0(small, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    structure = {"dict": [["weights", {"array": ["data/weights", "float64"]}], ["randomness", {"dict": []}]]}
    np.savez(path, structure=np.array(json.dumps(structure)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data/weights.npy", small.getvalue() + bytes(8))
    with pytest.raises(ValueError, match=re.escape(NOT_OURS)):
        checkpoint.load(path)


def test_a_file_of_torch_that_asks_for_memory_by_a_number_is_refused(tmp_path):
    """torch would make a bytearray as large as an opcode says."""
    path, changed = tmp_path / "run.pt", tmp_path / "changed.pt"
    path.write_bytes(without_digest("pt"))
    text = pickle.dumps("déjà", 2)[2:]  # without its protocol
    text = text[: text.index(b"q")]
    many = b"c__builtin__\nbytearray\n\x8a\x05" + (10**8).to_bytes(5, "little") + b"\x85R"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.infolist():
            data = source.read(member)
            if member.filename.endswith("data.pkl"):
                assert text in data
                data = data.replace(text, many)
            target.writestr(member.filename, data)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=re.escape(NOT_OURS)):
            checkpoint.load(changed)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is read and set as Linux has it")
@each_kind
def test_no_file_takes_all_the_memory(kind, tmp_path):
    path = tmp_path / f"run.{kind}"
    bomb(kind, path, 2**29)
    program = f"""
        import resource
        import torch, gradstep
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 250 * 2**20,) * 2)
        gradstep.checkpoint.limits.unpacked = 2**28
        try:
            gradstep.checkpoint.load({str(path)!r})
        except ValueError as error:
            assert "the limit is" in str(error)
        else:
            raise AssertionError("it was read")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
