"""The files that saving a checkpoint makes and replaces: links, modes, what is left over, and what can't be saved."""

import os
import stat

import numpy as np
import pytest
from test_damaged_checkpoints import KINDS, _small_random_states, each_kind  # noqa: F401  (a fixture)

from gradstep import checkpoint

torch = pytest.importorskip("torch")


@each_kind
def test_a_link_goes_on_to_name_the_file(kind, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / f"run.{kind}"
    link.symlink_to(target)
    for epoch in (1, 2):  # a link to nothing yet, then to a file
        checkpoint.save(link, epoch=epoch)
        assert link.is_symlink()
        assert not target.is_symlink()
        assert checkpoint.load(link)["epoch"] == epoch
    assert os.listdir(tmp_path / "elsewhere") == ["target"]
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", f"run.{kind}"]


@each_kind
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444])
def test_a_file_keeps_its_mode(kind, mode, tmp_path):
    path = tmp_path / f"run.{kind}"
    checkpoint.save(path, epoch=1)
    path.chmod(mode)
    seen = []

    class Watching:
        def state_dict(self):
            return {}

    original = checkpoint.format_of(path).write

    def write(self, packed, file):
        seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
        return original(packed, file)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(checkpoint.format_of(path)), "write", write)
        checkpoint.save(path, epoch=2, part=Watching())
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert seen == [mode]  # from the first byte on
    assert checkpoint.load(path)["epoch"] == 2


@each_kind
def test_a_new_file_has_the_mode_of_the_umask(kind, tmp_path):
    before = os.umask(0o027)
    try:
        checkpoint.save(tmp_path / f"run.{kind}", epoch=1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / f"run.{kind}").stat().st_mode) == 0o640


@each_kind
def test_nothing_is_written_through_a_file_that_was_left(kind, tmp_path):
    victim, path = tmp_path / "victim", tmp_path / f"run.{kind}"
    victim.write_text("untouched")
    (tmp_path / f"run.{kind}.partial").symlink_to(victim)
    checkpoint.save(path, epoch=1)
    assert victim.read_text() == "untouched"
    assert checkpoint.load(path)["epoch"] == 1


def test_keys_of_every_kind(tmp_path):
    path = tmp_path / "run.npz"
    keys = ["a\0b", "\ud800", "../up", "x" * 100_000, "é", "", tuple(range(10**6)), -(2**64), 1.5, None, True, "a#1"]
    content = {key: np.full(2, float(i)) for i, key in enumerate(keys)}
    checkpoint.save(path, content=content)
    found = checkpoint.load(path)["content"]
    assert list(found) == keys
    assert all((found[key] == values).all() for key, values in content.items())


def endless(kind):
    held = [torch.ones(2) if kind == "pt" else np.ones(2)]
    held.append(held)
    return held


@pytest.mark.parametrize(
    ("kind", "part", "message"),
    [
        ("npz", 2**12_000, "part is an integer of 12001 bits, and a checkpoint of NumPy keeps 10000 of them: save"),
        ("npz", np.clongdouble(1), "part is a clongdouble: a checkpoint of NumPy holds"),
        ("npz", np.bytes_(b"x"), "part is a bytes_: a checkpoint of NumPy holds"),
        ("pt", np.bytes_(b"x"), "part is a bytes_: a checkpoint holds"),
        *((kind, np.ma.masked_array([1.0], [True]), "part is a MaskedArray") for kind in KINDS),
        *((kind, endless(kind), "nested too deeply to be saved, or hold themselves") for kind in KINDS),
    ],
)
def test_parts_that_can_not_come_back_are_not_saved(kind, part, message, tmp_path):
    path = tmp_path / f"run.{kind}"
    checkpoint.save(path, part=1)
    with pytest.raises((TypeError, ValueError), match=message):
        checkpoint.save(path, part=part)
    assert checkpoint.load(path)["part"] == 1
    with pytest.raises(ValueError, match=r"a part can't be named 'gradstep\.checkpoint', by which"):
        checkpoint.save(path, **{"gradstep.checkpoint": 1})
    assert os.listdir(tmp_path) == [path.name]
