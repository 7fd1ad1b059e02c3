"""release=True in processes that reduce their gradients: refused before anything is written."""

import json
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

if not torch.distributed.is_available():
    pytest.skip("this torch has no distributed", allow_module_level=True)

from support import reducing_training  # noqa: E402
from support.compiling import ROOT  # noqa: E402

REDUCED = ["ddp", "ddp, wrapped later", "ddp, views", "ddp, static", "ddp, unused", "ddp, small buckets"]


@pytest.fixture(scope="module", params=[1, 2])
def results(request, tmp_path_factory):
    """The reports of one or two processes."""
    store = tmp_path_factory.mktemp("processes") / "store"
    if request.param == 1:
        return [reducing_training.in_group(0, 1, store)]
    program = ["-m", "support.reducing_training"]
    processes = [
        subprocess.Popen([sys.executable, *program, str(rank), "2", store], cwd=ROOT / "tests", stdout=subprocess.PIPE)
        for rank in range(2)
    ]
    return [json.loads(process.communicate(timeout=300)[0]) for process in processes]


@pytest.mark.parametrize("way", REDUCED)
def test_reduced_gradients_are_refused_before_anything_is_written(results, way):
    for each in results:
        found = each[way]
        assert "a gradient was changed after release=True would have updated with it" in found["backward"]
        assert found["backward"].endswith("make the optimizer without release. Nothing has been updated")
        assert found["after backward"] == found["before"]


def test_processes_that_do_not_reduce_train_as_ever(results):
    for each in results:
        found = each["apart"]
        assert not {"backward", "step"} & set(found)
        assert found["freed"]
        assert found["after backward"] == found["after step"] == each["plain"]["after step"]


def test_a_reduction_that_begins_later_is_noticed_by_the_step(results):
    for each in results:
        assert "has a gradient again, after release=True has updated it" in each["ddp, not synced first"]["step"]
