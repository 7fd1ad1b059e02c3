"""No argument and no text takes all the memory: what is too large is refused in words, before it is made."""

import itertools
import json
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import difference
from gradstep.schedules.limits import Limits, limits

#: a program may take so much memory beyond what it has after its imports
ROOM = 600 * 2**20
PRELUDE = f"""
    import itertools, resource, sys
    import numpy as np
    import gradstep as gs
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + {ROOM},) * 2)
    def refused(make, words, kind=ValueError):
        try:
            make()
        except kind as error:
            assert words in str(error), str(error)[:500]
            assert len(str(error)) < 2000, len(str(error))
        else:
            raise AssertionError("it was made")
"""
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is read and set as Linux has it")


def run_in_little_memory(program):
    code = textwrap.dedent(PRELUDE) + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def small(monkeypatch):
    """Limits that are reached soon."""
    for name in ("numbers", "json", "expression"):
        monkeypatch.setattr(limits, name, 1000)


@needs_linux
def test_arguments():
    run_in_little_memory("""
        many = 100_000_000
        refused(lambda: gs.Constant(1).smooth(0.9, many), "Smooth would hold 100000003 numbers")
        refused(lambda: gs.tied(gs.Linear(0, 1, 9), 0, 1, many), "Tied would hold 100000003 numbers")
        refused(lambda: gs.Callable(lambda t: t, many), "Callable would call fn for 100000000 steps")
        refused(lambda: gs.Table(itertools.repeat(1.0)), "holds 1048577 entries or more, and the limit is 1048576")
        refused(lambda: gs.Table(range(many)), "to allow more, set gradstep.schedules.limits.numbers")
        refused(lambda: gs.MultiStep(1, itertools.count(), 0.5), "milestones holds 1048577 entries or more")
        refused(lambda: gs.PiecewiseLinear((t, 0.0) for t in itertools.count()), "points holds 1048577 entries")
        refused(lambda: gs.join(itertools.repeat(1.0), [1]), "children holds 1048577 entries or more")
        refused(lambda: gs.stages(itertools.repeat((1, 1.0)), 1.0), "parts holds 1048577 entries or more")
        refused(lambda: gs.layerwise(1.0, many, 0.5), "layerwise would make 100000000 schedules")
        refused(lambda: gs.Units(total="9" * many), "is not a duration: write a number")
        s = gs.Constant(1.0)
        def doubled(s):
            for _ in range(64):
                s = s + s
        refused(lambda: doubled(s), "Sum would hold 2097151 numbers and parts")
        restarts = gs.CosineRestarts(1.0, 1, mult=1.001)
        refused(lambda: gs.join([restarts] * 100, range(1, 100)), "Join would hold")
        refused(lambda: gs.Constant(1).describe(10**10), "describe would evaluate 10000000000 updates")
        refused(lambda: gs.Constant(1).describe(10**30), "it must not exceed 2**53")
        gs.Constant(1).repeat(many)
        gs.Constant(1).shift(many).stretch(1e9)(10**9)
    """)


@needs_linux
def test_texts():
    run_in_little_memory("""
        refused(lambda: gs.from_json("[" * 30_000_000), "is nested more than 200 deep")
        refused(lambda: gs.from_json('{"schedule":' * 1_000_000), "is nested more than 200 deep")
        refused(lambda: gs.from_json(" " * 2**26), "the stored schedule has 67108864 characters")
        deep = '{"schedule":"Negative","base":' * 500 + '{"schedule":"Constant","value":1}' + "}" * 500
        refused(lambda: gs.from_json(deep), "nested")
        wide = '{"schedule":"Table","values":[' + "1," * 1_100_000 + "1]}"
        refused(lambda: gs.from_json(wide), "values holds 1048577 entries or more")
        refused(lambda: gs.from_json('{"schedule":"Constant","value":' + "9" * 10**6 + "}"), "is not a stored schedule")
        refused(lambda: gs.from_json('{"schedule":"Constant","value":1e999}'), "must be a finite number")
        refused(lambda: gs.from_json('{"schedule":"Constant","' + "v" * 10**6 + '":1}'), "Constant has no vvv")
        refused(lambda: gs.from_json('{"schedule":["Constant"]}'), "there is no schedule ['Constant']")
        refused(lambda: gs.from_expression("1+" * 2**20), "the expression has 2097152 characters")
        refused(lambda: gs.from_expression("[" + "1," * 2**16 + "]"), "is not a schedule", ValueError)
        refused(lambda: gs.from_expression("Constant(" * 2**14), "")
        refused(lambda: gs.from_expression("10**10**10"), "** takes powers of schedules")
        refused(lambda: gs.from_expression("Constant(1)**10**10**10"), "** takes powers of schedules")
        refused(lambda: gs.from_expression("*".join(["0x" + "f" * 1000] * 200)), "it is too large for float64")
        refused(lambda: gs.from_expression("Constant(1).smooth(0.9, 1000000000)"), "Smooth would hold")
        refused(lambda: gs.from_expression("Constant(" + "9" * 10**5 + ")"), "")
        refused(lambda: gs.from_expression("'" + "x" * 2**17 + "'"), "is not a schedule")
    """)


def test_a_caller_may_raise_a_limit(small, monkeypatch):
    with pytest.raises(
        ValueError, match=r"values holds 1001 entries or more, and the limit is 1000: to allow more, set "
    ):
        gs.Table([0.5] * 1001)
    limits.numbers = 2000
    assert gs.Table([0.5] * 1999)(1998) == 0.5
    text = gs.Table([0.5] * 1999).to_json()
    with pytest.raises(ValueError, match=f"the stored schedule has {len(text)} characters, and the limit is 1000"):
        gs.from_json(text)
    limits.json = len(text)
    assert gs.from_json(text) == gs.Table([0.5] * 1999)
    long = "1" + " + 0" * 249 + " " * 9
    with pytest.raises(ValueError, match="the expression has 1006 characters, and the limit is 1000"):
        gs.from_expression(long)
    monkeypatch.setattr(limits, "described", 1000)
    with pytest.raises(ValueError, match="describe would evaluate 1001 updates, and the limit is 1000: to allow more"):
        gs.Constant(1).describe(1001)
    limits.described = 1001
    assert "1000" in gs.Constant(1).describe(1001)
    limits.expression = len(long)
    assert gs.from_expression(long) == gs.Constant(1)


@pytest.mark.parametrize(("name", "value"), [("numbers", 0), ("depth", 1.5), ("json", True), ("expression", None)])
def test_a_limit_is_a_whole_number(name, value):
    with pytest.raises(ValueError, match=f"limits.{name} is {value!r}: it must be a whole number, 1 or more"):
        setattr(Limits(), name, value)


def test_there_are_no_other_limits():
    with pytest.raises(
        AttributeError, match="there is no limit 'number': there are numbers, depth, json, expression, described"
    ):
        Limits().number = 1


def test_the_deepest_schedule_can_do_everything():
    wide = gs.Linear(1.0, 0.5, 10)
    for _ in range(limits.depth - 1):
        wide = wide + 0.0
    with pytest.raises(ValueError, match="Sum would be nested 201 deep, and the limit is 200: to allow more, set"):
        wide + 0.0
    assert wide(5) == 0.75
    assert gs.from_json(wide.to_json()) == pickle.loads(pickle.dumps(wide)) == wide
    assert eval(repr(wide), vars(gs)) == wide
    assert difference(wide, gs.from_json(wide.to_json())) == ""
    assert wide.describe(3).endswith("lowest, last update")
    negative = gs.Linear(1.0, 0.5, 10)
    for _ in range(90):  # the brackets of which Python's own parser takes no more
        negative = -negative
    assert gs.from_expression(repr(negative)) == negative


def test_a_schedule_within_itself_is_too_deep():
    endless = {"schedule": "Negative"}
    endless["base"] = endless
    with pytest.raises(ValueError, match="is nested more than 200 deep"):
        gs.from_json(endless)


HUGE = 10**5000


@pytest.mark.parametrize(
    "make",
    [
        lambda: gs.Constant(HUGE),
        lambda: gs.Linear(1, 0, HUGE),
        lambda: gs.Table([1.0, -HUGE]),
        lambda: gs.MultiStep(1.0, [HUGE], 0.5),
        lambda: gs.Uniform(0.0, 1.0, HUGE),
        lambda: gs.Constant(1) * HUGE,
        lambda: gs.Constant(1).shift(HUGE),
        lambda: gs.Constant(1)(HUGE),
        lambda: gs.layerwise(1.0, HUGE, 0.5),
        lambda: gs.CosineRestarts(1.0, 5, mult=HUGE),
        lambda: gs.Constant(1).clip(lo=HUGE),
    ],
)
def test_numbers_beyond_what_python_prints(make):
    with pytest.raises(ValueError, match=r"an integer of \d+ bits|too large for float64") as refused:
        make()
    assert len(str(refused.value)) < 300


def test_lists_are_shown_in_part():
    falling = list(itertools.chain(range(100_000), [0]))
    for make in (lambda: gs.MultiStep(1.0, falling, 0.5), lambda: gs.PiecewiseLinear([(t, 0.0) for t in falling])):
        with pytest.raises(ValueError, match=r"\[.*\.\.\.\].* increase, but .*0 follows 99999") as refused:
            make()
        assert len(str(refused.value)) < 1000


def test_a_table_of_a_run_fits():
    values = np.random.default_rng(0).random(10**6)
    table = gs.Table(values)
    assert len(json.loads(table.to_json())["values"]) == 10**6
    assert gs.from_json(table.to_json())(10**6 - 1) == values[-1]
