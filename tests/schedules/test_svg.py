"""The drawing of a schedule in a notebook."""

import re
from xml.etree import ElementTree

import pytest

import gradstep
from gradstep import CosineDecay, Linear, MultiStep
from gradstep.schedules.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, USUAL_STEPS, WIDTH, steps_to_draw, svg
from support.compositions import COMPOSED

NAMESPACE = "{http://www.w3.org/2000/svg}"
FLOOR = HEIGHT - BOTTOM


def drawn(schedule):
    """The curve's paths and the labels, of XML that is read without help."""
    root = ElementTree.fromstring(schedule._repr_html_())
    paths = [each.get("d") for each in root.iter(f"{NAMESPACE}path")][1:]  # after the axes
    return root.find("code").text, paths, [each.text for each in root.iter(f"{NAMESPACE}text")]


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_a_line_from_corner_to_corner():
    code, (path,), labels = drawn(Linear(1.0, 0.0, steps=10))
    assert code == "Linear(init=1.0, end=0.0, steps=10)"
    assert labels == ["1", "0", "0", "updates already applied, t", "11"]
    found = points(path)
    assert found[0] == (LEFT, TOP)
    assert found[-1] == (WIDTH - RIGHT, FLOOR)
    # the end is reached at t = 10 of 11, drawn to a tenth of a pixel
    assert found[10] == pytest.approx((LEFT + 10 / 11 * (WIDTH - LEFT - RIGHT), FLOOR), abs=0.05)


def test_stairs_are_drawn_as_stairs():
    _, (path,), _ = drawn(MultiStep(1.0, [30, 60], 0.1))
    assert "L" not in path
    heights = dict.fromkeys(re.findall(r"V([\d.]+)", path))
    assert len(heights) == 3


def test_a_step_without_a_value_is_a_gap():
    _, paths, labels = drawn(1 / (Linear(-1.0, 1.0, 20)))
    assert len(paths) == 2
    assert labels[:2] == ["10", "-10"]


def test_a_schedule_without_values_says_so():
    _, paths, labels = drawn(1 / gradstep.Clip(Linear(0.0, 1.0, 10), 0.0, 0.0))
    assert paths == []
    assert labels == ["no finite value"]


def test_a_constant_is_a_line_in_the_middle():
    _, (path,), labels = drawn(gradstep.Constant(0.25))
    assert labels[0] == "0.25"
    assert {y for _, y in points(path)} == {(TOP + FLOOR) / 2}


def test_the_largest_floats_have_a_distance():
    _, (path,), _ = drawn(Linear(1.5e308, -1.5e308, 4))
    assert [y for _, y in points(path)][:1] == [TOP]


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (CosineDecay(1.0, 100), 111),
        (CosineDecay(1.0, 100).warmup(20), 131),
        (MultiStep(1.0, [30, 60], 0.1), 67),
        (gradstep.Constant(1.0), USUAL_STEPS),
        (Linear(1.0, 0.0, 1), 2),
        (Linear(1.0, 0.0, 10**15), 10**15 + 10**14 + 1),
    ],
)
def test_steps_follow_from_the_landmarks(schedule, steps):
    assert steps_to_draw(schedule) == steps
    drawn(schedule)


@pytest.mark.parametrize("schedule", COMPOSED, ids=repr)
def test_every_composition_is_drawn(schedule):
    code, paths, _ = drawn(schedule)
    assert code == repr(schedule)
    assert paths


def test_code_with_the_signs_of_xml():
    class Mine(gradstep.Constant):
        def __repr__(self):
            return "Mine<1> & <2>"

    assert drawn(Mine(1.0))[0] == "Mine<1> & <2>"


def test_one_update():
    assert 'd="M64.0 69.0h0"' in svg(Linear(1.0, 0.0, 10), 1)


def test_a_long_schedule_is_shortened():
    long = gradstep.PiecewiseLinear([(t, t % 7) for t in range(5000)])
    assert len(long._repr_html_()) < 20_000
