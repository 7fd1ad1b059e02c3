"""Shared fixtures of the examples' tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gradstep.cli.commands import app
from gradstep_demo import data

# Wide, so that messages stay on one line, and without colours between their words.
ENVIRONMENT = {"COLUMNS": "400", "NO_COLOR": "1", "TERM": "dumb"}


@pytest.fixture
def gradstep_command() -> Callable[..., Result]:
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=ENVIRONMENT)

    return invoke


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write a small file in Keras' layout with the arrays given instead; None leaves one out."""

    def write(**changed: Any) -> Path:
        arrays = {
            "x_train": np.zeros((20, 28, 28), np.uint8),
            "y_train": np.arange(20, dtype=np.uint8) % 10,
            "x_test": np.zeros((10, 28, 28), np.uint8),
            "y_test": np.arange(10, dtype=np.uint8),
        } | changed
        path = tmp_path / "digits.npz"
        np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
        return path

    return write


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 and 100 of the bundled digits, in a file."""
    found = data.bundled()
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    parts = {"train": slice(None, None, 10), "test": slice(None, None, 10)}
    arrays = {f"{name}_{part}": getattr(found, f"{name}_{part}")[rows] for part, rows in parts.items() for name in "xy"}
    np.savez(path, **arrays)
    return path
