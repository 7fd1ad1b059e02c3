"""The differences between two schedules."""

import pytest

import gradstep as gs
from gradstep.schedules import difference
from support.compositions import COMPOSED
from support.schedule_reference import LEAVES

C = gs.CosineDecay(0.1, 100)


@pytest.mark.parametrize("s", LEAVES + COMPOSED, ids=repr)
def test_equal_schedules_have_no_difference(s):
    assert difference(s, gs.from_json(s.to_json())) == ""


@pytest.mark.parametrize(
    ("saved", "given", "text"),
    [
        (C, gs.CosineDecay(0.2, 100), "init (of CosineDecay): 0.1 -> 0.2"),
        (C, gs.CosineDecay(0.1, 100, past="mirror"), "past (of CosineDecay): 'hold' -> 'mirror'"),
        (C, gs.Linear(0.1, 0.0, 100), "the schedule: CosineDecay(init=0.1, steps=100) -> Linear"),
        (
            C,
            C.warmup(5),
            "the schedule: CosineDecay(init=0.1, steps=100) -> CosineDecay(init=0.1, steps=100).warmup(5)",
        ),
        (C * 0.5, C * 0.25, "right.value (of Constant): 0.5 -> 0.25"),
        (C.warmup(5) + 1, C.warmup(6) + 1, "left.n (of Warmup): 5 -> 6"),
        (C.clip(hi=1), C.clip(lo=0, hi=1), "lo (of Clip): None -> 0.0"),
        (gs.MultiStep(1, [3], 0.5), gs.MultiStep(1, [3, 5], 0.5), "milestones (of MultiStep): [3] -> [3, 5]"),
        (gs.InverseSqrtDecay(1), gs.InverseSqrtDecay(1, shift=2), "shift (of InverseSqrtDecay): 0.0 -> 2.0"),
        (
            gs.join([C, C * 0.5, 0.1], [10, 20]),
            gs.join([C, C * 0.25, 0.1], [10, 30]),
            "children[1].right.value (of Constant): 0.5 -> 0.25\nmilestones (of Join): [10, 20] -> [10, 30]",
        ),
        (
            gs.join([C, C], [10]).shift(3),
            gs.join([C, 0.1], [10]).shift(3),
            "base.children[1]: CosineDecay(init=0.1, steps=100) -> Constant(value=0.1)",
        ),
        (
            gs.join([C, 1], [10]),
            gs.join([C, 1, 2], [10, 20]),
            "children (of Join): [CosineDecay(init=0.1, steps=100), Constant(value=1.0)] -> [CosineDecay",
        ),
    ],
)
def test_each_change_is_named(saved, given, text):
    lines = difference(saved, given).splitlines()
    assert len(lines) >= len(text.splitlines())
    for line, start in zip(lines, text.splitlines(), strict=False):
        assert line.startswith(start)
