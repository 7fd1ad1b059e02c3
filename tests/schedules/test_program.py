"""Programs that the core refuses, so that the evaluator need not check them."""

import pytest

from gradstep import _core


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "a program leaves one value and its own time"),
        ([("constant", [1.0])] * 2, "a program leaves one value and its own time"),
        ([("hold", [1.0]), ("constant", [1.0])], "a program leaves one value and its own time"),
        ([("plus", [])], "takes a value that nothing pushed"),
        ([("constant", [1.0]), ("plus", [])], "takes a value that nothing pushed"),
        ([("raised", [2.0])], "takes a value that nothing pushed"),
        ([("constant", [1.0]), ("back", [])], "goes back from a time that it never entered"),
        ([("hold", [1.0])] * 16, "nested more than 16 deep"),
        ([("constant", [])], "'constant' takes 1 numbers, not 0"),
        ([("plus", [1.0])], "'plus' takes 0 numbers, not 1"),
        ([("table", [])], "'table' takes 1 numbers, not 0"),
        ([("piecewise_linear", [1.0] * 3)], "'piecewise_linear' takes 4 numbers, not 3"),
        ([("cosine", [1.0])], "there is no operation 'cosine'"),
    ],
)
def test_refused_programs(lines, message):
    with pytest.raises(ValueError, match=message):
        _core.Program(lines)
