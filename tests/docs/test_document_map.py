"""The page that leads from the documents to gradstep: no id is missing, names exist, schedules are their formulas."""

import importlib
import math
import re
from pathlib import Path

import numpy as np
import pytest

import gradstep
import gradstep_demo
from gradstep.rules.options import OPTION_DEFAULTS
from support.tolerances import MANY_ROUNDINGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/documents.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("| ")]
NAMES = [name for row in ROWS for name in re.findall("`([^`]+)`", row[-1])]
IDS = {f"{kind}{n}" for kind, count in {"O": 11, "S": 20, "T": 5, "E": 15}.items() for n in range(1, count + 1)}
STEP_ARGUMENTS = {"grad_scale", "found_inf"}

# The letters of the page. n, m and T are apart, so that no milestone hides behind another.
LETTERS = {
    "eta0": 0.3, "eta1": 0.2, "eta2": 0.07, "end": 0.01, "gamma": 0.97, "lam": 1.05, "k": 0.04, "mu": 0.8, "p": 1.7,
    "b1": 0.9, "b2": 0.99, "d": 64, "n": 6, "m": 9, "T": 40,
}  # fmt: skip
eta0, eta1, eta2, end, gamma, lam, k, mu, p, b1, b2, d, n, m, T = LETTERS.values()
STEPS = range(T)


def triangle(t):
    within = t % (n + m)
    return within / n if within <= n else (n + m - within) / m


def pieces(t):
    return eta0 if t < n else eta1 if t < m else eta2


def smoothed(t):
    return pieces(0) if t == 0 else pieces(t) + mu * (smoothed(t - 1) - pieces(t))


FORMULAS = {
    "Constant(eta0)": lambda t: eta0,
    "Linear(eta0, 0, T)": lambda t: eta0 * (1 - t / T),
    "ExponentialDecay(eta0, gamma)": lambda t: eta0 * gamma**t,
    "ExponentialDecay(eta0, gamma, n)": lambda t: eta0 * gamma ** (t / n),
    "ExponentialDecay(eta0, gamma, n, staircase=True)": lambda t: eta0 * gamma ** (t // n),
    "ExponentialDecay(eta0, gamma).stretch(n, staircase=True)": lambda t: eta0 * gamma ** (t // n),
    "ExponentialDecay(eta0, gamma).shift(-1)": lambda t: eta0 * gamma ** (t + 1),
    "ExponentialDecay(eta0, gamma, T)": lambda t: eta0 * gamma ** (t / T),
    "InverseTimeDecay(eta0, k)": lambda t: eta0 / (1 + k * t),
    "InverseTimeDecay(eta0, k, n)": lambda t: eta0 / (1 + k * t / n),
    "InverseTimeDecay(eta0, k, n, staircase=True)": lambda t: eta0 / (1 + k * (t // n)),
    "InverseSqrtDecay(eta0)": lambda t: eta0 / math.sqrt(t + 1),
    "Noam(d, n, eta0)": lambda t: eta0 / math.sqrt(d) * min(1 / math.sqrt(t + 1), (t + 1) / n**1.5),
    "NaturalExpDecay(eta0, k)": lambda t: eta0 * math.exp(-k * t),
    "ExponentialDecay(eta0, 1 / lam)": lambda t: eta0 * (1 / lam) ** t,
    "PolynomialDecay(eta0, T, end, p)": lambda t: end + (eta0 - end) * (1 - t / T) ** p,
    "Piecewise([n, m], [eta0, eta1, eta2])": pieces,
    "Periodic(eta0, [(n, eta1), (m, eta2)])": lambda t: eta2 if t % m == 0 else eta1 if t % n == 0 else eta0,
    "Cyclic(eta0, eta1, n, m)": lambda t: eta0 + (eta1 - eta0) * triangle(t),
    'Cyclic(eta0, eta1, n, m, mode="triangular2")': lambda t: (
        eta0 + (eta1 - eta0) * triangle(t) * 0.5 ** (t // (n + m))
    ),
    'Cyclic(eta0, eta1, n, m, mode="exp_range", gamma=gamma)': lambda t: eta0 + (eta1 - eta0) * triangle(t) * gamma**t,
    "CosineRestarts(eta0, n)": lambda t: eta0 * (1 + math.cos(math.pi * (t % n) / n)) / 2,
    "Piecewise([n, m], [eta0, eta1, eta2]).smooth(mu, 100)": smoothed,
    "eta0 / (1 - ExponentialDecay(b1, b1)) ** 0.5": lambda t: eta0 / math.sqrt(1 - b1 ** (t + 1)),
    "eta0 * ((1 - ExponentialDecay(b2, b2)) * (1 / (1 - b2))) ** 0.5": lambda t: (
        eta0 * math.sqrt((1 - b2 ** (t + 1)) / (1 - b2))
    ),
    "eta0 / Linear(1, 1 - b1, T)": lambda t: eta0 / (1 - b1 * t / T),
    "eta0 * (1 - ExponentialDecay(b2, b2)) ** 0.5 / (1 - ExponentialDecay(b1, b1))": lambda t: (
        eta0 * math.sqrt(1 - b2 ** (t + 1)) / (1 - b1 ** (t + 1))
    ),
    "maximum(ExponentialDecay(0.1, 0.99, 100), 1e-4)": lambda t: max(0.1 * 0.99 ** (t / 100), 0.0001),
}
UNIFORM = "Uniform(eta1, eta0, 7)"  # a random number has no formula to compare with


def schedule(expression: str) -> gradstep.Schedule:
    """The schedule of the page, with numbers for its letters (but not for names of arguments, as in gamma=gamma)."""
    letters = re.compile(rf"\b({'|'.join(LETTERS)})\b(?!=)")
    return gradstep.from_expression(letters.sub(lambda letter: repr(LETTERS[letter[0]]), expression))


def exists(name: str) -> bool:
    """Whether a name of the page is that of something: an option, a file, an example, or an object of gradstep."""
    if name in OPTION_DEFAULTS or name in STEP_ARGUMENTS:
        return True
    if name.startswith("tests/"):
        return (ROOT / name).is_file()
    if name.startswith("gradstep demo "):
        return name.removeprefix("gradstep demo ") in gradstep_demo.DESCRIPTIONS
    path, _, attribute = name.rpartition(".")
    try:
        if hasattr(importlib.import_module(path), attribute):
            return True
        importlib.import_module(name)
    except (ImportError, ValueError):
        return False
    return True


def test_every_id_stands_once_with_what_answers_to_it() -> None:
    first_cells = [row[0] for row in ROWS[: next(i for i, row in enumerate(ROWS) if row[1] == "printed")]]
    assert sorted(each for each in first_cells if each in IDS) == sorted(IDS)


def test_errata_are_those_of_known_ids() -> None:
    start = next(i for i, row in enumerate(ROWS) if row[1] == "printed")
    assert {each for row in ROWS[start + 1 :] for each in row[0].split(", ")} <= IDS


@pytest.mark.parametrize("name", sorted({each for each in NAMES if each not in FORMULAS and each != UNIFORM}))
def test_name_exists(name: str) -> None:
    assert exists(name)


def test_a_name_that_does_not_exist_is_noticed() -> None:
    absent = ("gradstep.Adamm", "gradstep.no_module.Adam", "gradstep demo nothing", "tests/no_test.py", "clip_norms")
    assert not any(map(exists, absent))


def test_formulas_are_those_of_the_page() -> None:
    assert {*FORMULAS, UNIFORM} == {name for name in NAMES if name in FORMULAS or "(" in name}


@pytest.mark.parametrize("expression", FORMULAS)
def test_schedule_is_its_formula(expression: str) -> None:
    expected = [FORMULAS[expression](t) for t in STEPS]
    # Both round some ten operations in double; a root or power of 1 - x loses a digit more where x is close to 1.
    np.testing.assert_allclose(schedule(expression)(STEPS), expected, rtol=MANY_ROUNDINGS, atol=1e-16)


def test_random_rate_lies_between_its_bounds_and_moves() -> None:
    rates = schedule(UNIFORM)(STEPS)
    assert (rates >= eta1).all()
    assert (rates <= eta0).all()
    assert len(set(rates)) == T
