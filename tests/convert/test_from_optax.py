"""optax's schedules, point by point."""

import inspect
import re

import pytest

import gradstep as gs
from gradstep import convert
from support.agreement import FLOAT32, FLOAT64, assert_agrees

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

CASES = [
    ("constant_schedule", (0.3,), {}),
    ("linear_schedule", (0.3, 0.1, 37), {"transition_begin": 5}),
    ("linear_schedule", (0.3, 0.1, 37), {"transition_begin": -5}),
    ("linear_schedule", (0.3, 0.1, 0), {}),
    ("polynomial_schedule", (0.3, 0.1), {"power": 1.7, "transition_steps": 37, "transition_begin": 5}),
    ("polynomial_schedule", (0.3, 0.1), {"power": 1.7, "transition_steps": -1}),
    ("exponential_decay", (0.3, 7, 0.6), {"transition_begin": 5}),
    ("exponential_decay", (0.3, 7, 0.6), {"transition_begin": 5, "staircase": True, "end_value": 0.05}),
    ("exponential_decay", (0.3, 7, 1.25), {"end_value": 0.9}),
    ("exponential_decay", (0.3, 7, 0), {}),
    ("cosine_decay_schedule", (0.3, 37), {"alpha": 0.1}),
    ("cosine_decay_schedule", (0.3, 37), {"alpha": 0.1, "exponent": 1.7}),
    ("cosine_decay_schedule", (0.3, 37), {"exponent": 0.7}),
    ("warmup_constant_schedule", (0.01, 0.3, 9), {}),
    ("warmup_cosine_decay_schedule", (0.01, 0.3, 9, 37), {"end_value": 0.02, "exponent": 1.7}),
    ("warmup_cosine_decay_schedule", (0.01, 0.3, 0, 37), {"end_value": 0.02}),
    ("warmup_exponential_decay_schedule", (0.01, 0.3, 9, 7, 0.6), {"transition_begin": 4, "end_value": 0.05}),
    (
        "sgdr_schedule",
        (
            [
                {"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 3, "decay_steps": 20},
                {"init_value": 0.05, "peak_value": 0.2, "warmup_steps": 5, "decay_steps": 30, "end_value": 0.01},
            ],
        ),
        {},
    ),
    ("piecewise_constant_schedule", (0.3, {6: 0.5, 5: 0.7, 40: 2.0}), {}),
    ("piecewise_constant_schedule", (0.3,), {}),
    ("piecewise_interpolate_schedule", ("linear", 0.3, {9: 0.5, 5: 0.7, 40: 2.0}), {}),
    ("piecewise_interpolate_schedule", ("cosine", 0.3, {9: 0.5, 5: 0.7, 40: 2.0}), {}),
    ("piecewise_interpolate_schedule", ("linear", 13.0), {}),
    ("piecewise_interpolate_schedule", ("cosine", 13.0, {}), {}),
    ("piecewise_interpolate_schedule", ("linear", 0.3, {0: 0.5}), {}),
    ("piecewise_interpolate_schedule", ("cosine", 0.3, {0: 0.5, 5: 0.7, 40: 2.0}), {}),
    ("piecewise_constant_schedule", (0.3, {0: 0.5, 5: 0.7}), {}),
    ("cosine_onecycle_schedule", (3, 0.1), {}),
    ("linear_onecycle_schedule", (3, 0.1), {}),
    ("linear_onecycle_schedule", (1, 0.1), {}),
    ("cosine_onecycle_schedule", (1, 0.1), {}),
    ("linear_onecycle_schedule", (37, 0.3, 0.25, 0.8, 7.0, 90.0), {}),
    ("cosine_onecycle_schedule", (37, 0.3, 0.25, 7.0, 90.0), {}),
]


@pytest.fixture
def float64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def run(schedule, steps=121):
    return jax.vmap(schedule)(jax.numpy.arange(steps))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("name", "arguments", "options"), CASES)
def test_values_are_optaxs(name, arguments, options):
    constructor = getattr(optax, name)
    schedule = convert.from_optax(constructor, *arguments, **options)
    assert_agrees(schedule, run(constructor(*arguments, **options)), FLOAT64)
    assert convert.from_optax(name, *arguments, **options) == schedule
    assert gs.from_json(schedule.to_json()) == schedule


def test_joined_schedules():
    parts = [("linear_schedule", (0.0, 0.3, 9)), ("cosine_decay_schedule", (0.3, 20)), ("constant_schedule", (0.1,))]
    theirs = optax.join_schedules([getattr(optax, name)(*given) for name, given in parts], [9, 25])
    ours = [convert.from_optax(name, *given) for name, given in parts]
    assert_agrees(convert.from_optax(optax.join_schedules, ours, [9, 25]), run(theirs), FLOAT32)


@pytest.mark.parametrize("name", convert.optax.CONSTRUCTORS)
def test_constructors_take_optaxs_arguments(name):
    def taken(function):
        return {each.name: each.default for each in inspect.signature(function).parameters.values()}

    assert taken(convert.optax.CONSTRUCTORS[name]).items() <= taken(getattr(optax, name)).items()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("no_schedule", 1), TypeError, "no_schedule of optax can't be converted; can be: constant_schedule, "),
        ((optax.adam, 1), TypeError, "adam of optax can't be converted"),
        (
            (optax.cosine_decay_schedule(0.1, 10),),
            TypeError,
            "cosine_decay_schedule returned this closure, whose settings can't be read: pass the constructor",
        ),
        (("linear_schedule", 1, 0), TypeError, "missing 1 required positional argument: 'transition_steps'"),
        (("linear_schedule", 1, 0, 2.5), ValueError, "transition_steps is 2.5: a schedule counts whole updates"),
        (("piecewise_interpolate_schedule", "cubic", 1), ValueError, "interpolate_type is 'cubic': it must be one of"),
    ],
)
def test_what_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.from_optax(*arguments)
