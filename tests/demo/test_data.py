"""The digits: how the bundled ones are split, and what is said about a file that cannot be used."""

import numpy as np
import pytest

from gradstep_demo import data


@pytest.fixture(scope="module")
def bundled():
    return data.bundled()


def test_bundled_digits_are_split_in_equal_shares(bundled):
    assert bundled.x_train.shape == (4000, 28, 28)
    assert bundled.x_test.shape == (1000, 28, 28)
    assert np.bincount(bundled.y_train).tolist() == [400] * 10
    assert np.bincount(bundled.y_test).tolist() == [100] * 10


def test_bundled_digits_are_pixels(bundled):
    assert bundled.x_train.dtype == np.uint8
    assert (bundled.x_train.min(), bundled.x_train.max()) == (0, 255)


def test_split_is_the_same_each_time(bundled):
    assert np.array_equal(bundled.x_test, data.bundled().x_test)


def test_no_digit_is_trained_and_tested_on(bundled):
    pixels = np.concatenate([bundled.x_train, bundled.x_test]).reshape(5000, -1)
    assert len({row.tobytes() for row in pixels}) == 5000  # of the 5000, no two are alike


def test_held_out_takes_the_share_from_unequal_classes():
    labels = np.array([3] * 10 + [7] * 5 + [9] * 4)
    assert np.bincount(labels[data.held_out(labels)], minlength=10)[[3, 7, 9]].tolist() == [2, 1, 0]


def test_few_digits_show_all_classes(bundled):
    few = bundled.few()
    assert (len(few.x_train), len(few.x_test)) == (2000, 500)
    assert np.bincount(few.y_train).tolist() == [200] * 10


def test_file_in_keras_layout(save):
    digits = data.load(save())
    assert digits.name == "digits.npz"
    assert (len(digits.x_train), len(digits.x_test)) == (20, 10)
    assert digits.y_train.dtype == np.int64


BROKEN = {
    "lacks x_test, y_test": {"x_test": None, "y_test": None},
    r"x_train .* shape \(20, 784\) .* wanted .* \(n, 28, 28\)": {"x_train": np.zeros((20, 784), np.uint8)},
    "x_test .* dtype float64; wanted .* uint8": {"x_test": np.zeros((10, 28, 28))},
    r"y_train .* shape \(19,\) .* wanted are 20 integers": {"y_train": np.zeros(19, np.uint8)},
    r"y_test .* shape \(10, 10\)": {"y_test": np.eye(10, dtype=np.uint8)},
    "y_test .* dtype float64": {"y_test": np.zeros(10)},
    "y_train .* from -1 to 0; wanted are 0 to 9": {"y_train": np.repeat([-1, 0], 10)},
    "y_train .* from 0 to 10": {"y_train": np.repeat([0, 10], 10)},
    "x_test .* is empty": {"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)},
    "no archive of plain arrays": {"y_train": np.array([None] * 20)},
}


@pytest.mark.parametrize("message", BROKEN)
def test_file_that_cannot_be_used(save, message):
    path = save(**BROKEN[message])
    with pytest.raises(data.DataError, match=message):
        data.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(data.DataError, match=r"there is no file .*nothing\.npz"):
        data.load(tmp_path / "nothing.npz")


def test_folder(tmp_path):
    with pytest.raises(data.DataError, match="no archive of plain arrays"):
        data.load(tmp_path)


def save_one_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


WRITERS = {
    "text": lambda path: path.write_text("label,pixel\n"),
    "empty": lambda path: path.write_bytes(b""),
    "one array": save_one_array,
    "cut short": lambda path: path.write_bytes(b"PK\x03\x04 and no more"),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_file_that_is_no_archive(tmp_path, kind):
    path = tmp_path / "digits.npz"
    WRITERS[kind](path)
    with pytest.raises(data.DataError, match="no archive of plain arrays"):
        data.load(path)
