import os

import pytest

import gradstep
from gradstep import _core

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported


#: folders and files whose tests reach the core through what other tests reach directly: the same on every target
DOOR = {
    "bench",
    "convert",
    "cpp",
    "examples",
    "golden",
    "hosts",
    "lr_finder",
    "search",
    "test_adding_groups",
    "test_attachment",
    "test_checkpoint",
    "test_cuda_resources",
    "test_damaged_checkpoints",
    "test_document_map",
    "test_emulation",
    "test_explore",
    "test_injecting",
    "test_loading",
    "test_loading_another_class",
    "test_logs",
    "test_plateau",
    "test_rate_scale",
    "test_replaced_checkpoints",
    "test_refused_hyperparameters",
    "test_refused_options",
    "test_restoring",
    "test_restoring_parts",
    "test_sinks",
    "test_tasks",
    "test_tensor_shim",
}


def pytest_collection_modifyitems(config, items):
    for item in items:
        names = [part.removesuffix(".py") for part in item.path.relative_to(config.rootpath).parts]
        if not DOOR.isdisjoint(names):
            item.add_marker("door")
        elif "device" in names:
            item.add_marker("device")


def pytest_report_header():
    offered = ", ".join(_core.targets())
    return f"gradstep target: {_core.active_target()} of {offered}; threads: {gradstep.get_num_threads()}"


def pytest_sessionstart():
    forced = os.environ.get("GRADSTEP_TARGET")
    if forced and _core.active_target() != forced:
        raise pytest.UsageError(f"GRADSTEP_TARGET={forced}, but {_core.active_target()} is active")


@pytest.fixture(autouse=True)
def _default_threads():
    yield
    gradstep.set_num_threads(None)
