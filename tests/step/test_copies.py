"""cast_to: a 16-bit copy of the parameter, renewed by every update."""

from typing import Literal, get_args, get_type_hints

import ml_dtypes
import numpy as np
import pytest

import gradstep
from gradstep.interop.arrays import HALVES
from gradstep.rules.options import Options
from support.arrays import DTYPES, assert_same_bits, awkward, normal
from support.cases import ONE_EACH


@pytest.mark.parametrize("kind", ["f16", "bf16"])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_the_copy_is_the_rounded_parameter(case, dtype, kind):
    p = normal(0, 3000, dtype)
    optimizer = case.over([p], cast_to=kind)
    for t in range(3):
        optimizer.step([normal(t + 1, 3000, dtype)])
        assert_same_bits(optimizer.state[0]["cast"], p.astype(DTYPES[kind]))


def test_awkward_numbers():
    p = awkward(0, 5000)
    optimizer = gradstep.SGD([p], lr=0.1, cast_to="bf16")
    optimizer.step([np.zeros(5000, np.float32)])
    assert_same_bits(optimizer.state[0]["cast"], p.astype(ml_dtypes.bfloat16))


def test_another_layout():
    p = np.asfortranarray(normal(0, 600).reshape(20, 30))[::2]
    optimizer = gradstep.SGD([p], lr=0.1, cast_to="f16")
    optimizer.step([np.ones((10, 30), np.float32)])
    assert_same_bits(optimizer.state[0]["cast"], p.astype(np.float16))


def test_in_functional():
    p, copy = normal(0, 10), np.zeros(10, np.float16)
    gradstep.functional.sgd_(p, normal(1, 10), step=1, lr=0.5, cast_to="f16", copy=copy)
    assert_same_bits(copy, p.astype(np.float16))


def test_refusals():
    with pytest.raises(ValueError, match="Invalid cast_to: 'f8': it must be one of None, 'f16', 'bf16'"):
        gradstep.SGD([np.ones(2)], lr=0.1, cast_to="f8")


def test_the_annotation_names_all_formats_of_16_bits():
    assert set(get_args(get_type_hints(Options)["cast_to"])) == {Literal["bf16", "f16"], type(None)}
    assert set(HALVES) == set(get_args(Literal["bf16", "f16"]))
