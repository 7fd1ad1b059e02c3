"""The core's own functions: their error against mpmath, their edges, and the same bits on every target."""

import math

import mpmath
import numpy as np
import pytest

from gradstep import _core

NAMES = ["exp2", "log2", "exp", "log", "pow", "cospi", "tanh"]
INF, NAN = math.inf, math.nan
ULPS = dict.fromkeys(NAMES, 0.7)  # half an ulp is the best there is; the worst seen over these samples is 0.65,
ULPS["tanh"] = 0.85  # and here 0.81, as its exponential adds half an ulp


@pytest.fixture(params=_core.targets(), autouse=True)
def target(request):
    before = _core.active_target()
    _core.select_target(request.param)
    yield request.param
    _core.select_target(before)


def call(name, x, y=0.0):
    x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
    return _core.call_function(name, np.ascontiguousarray(x), np.ascontiguousarray(y))


def worst_ulps(got, exact):
    with mpmath.workprec(200):
        errors = [
            abs(mpmath.mpf(float(g)) - e) / float(np.spacing(abs(float(e)))) for g, e in zip(got, exact, strict=True)
        ]
        return float(max(errors))


def reference(name, x, y):
    with mpmath.workprec(200):
        x, y = mpmath.mpf(float(x)), mpmath.mpf(float(y))
        return {
            "exp2": lambda: mpmath.power(2, x),
            "log2": lambda: mpmath.log(x) / mpmath.log(2),
            "exp": lambda: mpmath.exp(x),
            "log": lambda: mpmath.log(x),
            "pow": lambda: mpmath.power(x, y),
            "cospi": lambda: mpmath.cospi(x),
            "tanh": lambda: mpmath.tanh(x),
        }[name]()


RANGES = {
    "exp2": [(-1000, 1000), (-1, 1), (-1e-9, 1e-9)],
    "exp": [(-700, 700), (-1, 1), (-1e-9, 1e-9)],
    "cospi": [(-1, 1), (-1000, 1000), (0.4999, 0.5001), (1e9, 2e9)],
    "tanh": [(-1, 1), (0.5, 0.6), (-20, 20), (-1e-9, 1e-9)],
    "log": [(0.5, 2), (1 - 1e-9, 1 + 1e-9), (1e-300, 1e-290), (1e200, 1e300), (5e-324, 1e-310)],
    "log2": [(0.5, 2), (1 - 1e-9, 1 + 1e-9), (1e-300, 1e-290), (1e200, 1e300), (5e-324, 1e-310)],
    "pow": [(0, 1), (1 - 1e-6, 1 + 1e-6), (0.1, 10), (1, 1e9)],
}


@pytest.mark.parametrize(("name", "span"), [(name, span) for name in NAMES for span in RANGES[name]])
def test_error_is_about_half_an_ulp(name, span):
    random = np.random.default_rng(1)
    x, y = random.uniform(*span, 300), random.uniform(-30, 30, 300)
    got = call(name, x, y)
    assert worst_ulps(got, [reference(name, *each) for each in zip(x, y, strict=True)]) < ULPS[name]


@pytest.mark.parametrize("y", [1.0, 2.0, 3.0, 5.0])
def test_pow_is_exact_where_the_result_is_a_double(y):
    x = np.arange(-300.0, 300.0)
    np.testing.assert_array_equal(call("pow", x, y), x**y)


def test_pow_is_exact_for_large_results():
    np.testing.assert_array_equal(
        call("pow", [2, 2, 4, 0.5], [1023, -1074, -537, 1074]),
        [2.0**1023, 2.0**-1074, 2.0**-1074, 2.0**-1074],
    )
    random = np.random.default_rng(2)
    x = random.uniform(1.5, 1e3, 200)
    y = 700 / np.log(x)
    assert worst_ulps(call("pow", x, y), [reference("pow", *each) for each in zip(x, y, strict=True)]) < 1


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        (
            "exp2",
            [0, 1, -1, 1023, 1024, -1074, -1080, INF, -INF, NAN],
            [1, 2, 0.5, 2.0**1023, INF, 5e-324, 0, INF, 0, NAN],
        ),
        ("exp", [0, 710, -800, 1e300, -1e300, INF, -INF, NAN], [1, INF, 0, INF, 0, INF, 0, NAN]),
        (
            "log2",
            [1, 8, 0.25, 5e-324, 0, -0.0, -1, INF, -INF, NAN],
            [0, 3, -2, -1074, -INF, -INF, NAN, INF, NAN, NAN],
        ),
        ("log", [1, 0, -1, INF, NAN], [0, -INF, NAN, INF, NAN]),
        (
            "cospi",
            [0, 0.5, 1, 1.5, 2, -1, 1e15 + 0.5, 2.0**52 + 1, 2.0**53 + 2, INF, NAN],
            [1, 0, -1, 0, 1, -1, 0, -1, 1, NAN, NAN],
        ),
        ("tanh", [0, -0.0, 5e-324, 20, -20, 1e300, INF, -INF, NAN], [0, -0.0, 5e-324, 1, -1, 1, 1, -1, NAN]),
    ],
)
def test_edges(name, x, expected):
    np.testing.assert_array_equal(call(name, x), np.asarray(expected, np.float64))


@pytest.mark.parametrize("x", [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.0, INF, -INF, NAN])
@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 3.0, 0.5, -1.0, -2.0, -0.5, INF, -INF, NAN, 1e300, -1e300, 2.0**52 + 1])
def test_pow_edges_are_those_of_ieee(x, y):
    with np.errstate(all="ignore"):
        expected = np.nan if x == 1 and math.isnan(y) else np.float_power(x, y)
    got = float(call("pow", [x], [y])[0])
    assert got == expected or (math.isnan(got) and math.isnan(expected))
    assert math.isnan(got) or math.copysign(1, got) == math.copysign(1, expected)


@pytest.mark.parametrize("span", [(0, 1), (0, 1e-9), (0.999, 1.001), (1, 1e9), (1e-320, 1e-300)])
def test_angle_is_atan2_in_the_right_half_plane(span):
    random = np.random.default_rng(4)
    y, x = random.uniform(*span, 300) * random.choice([-1, 1], 300), random.uniform(*span, 300)
    with mpmath.workprec(200):
        exact = [mpmath.atan2(mpmath.mpf(float(a)), mpmath.mpf(float(b))) for a, b in zip(y, x, strict=True)]
    # The quotient, the polynomial's last two operations and the difference from pi/2 are rounded.
    assert worst_ulps(call("angle", y, x), exact) < 2


def test_edges_of_angle():
    y = [0, -0.0, 3, -3, 0, INF, -INF, INF, 5, NAN, 1, NAN, 1e300]
    x = [0, 0, 0, 0, 2, 2, 2, INF, INF, 1, NAN, NAN, 1e-300]
    np.testing.assert_array_equal(call("angle", y, x), np.arctan2(y, x))


@pytest.mark.parametrize("name", [*NAMES, "angle"])
def test_every_target_gives_the_bits_of_scalar(name, target):
    random = np.random.default_rng(3)
    x = random.integers(0, 2**64, 20_000, np.uint64).view(np.float64)  # every kind of double
    y = np.where(random.random(x.size) < 0.5, random.uniform(-20, 20, x.size), np.roll(x, 1))
    got = call(name, x, y)
    _core.select_target("scalar")
    np.testing.assert_array_equal(got, call(name, x, y))
