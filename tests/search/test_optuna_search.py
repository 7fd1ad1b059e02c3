"""The search by optuna, through the same door."""

import math
import sys

import pytest

from gradstep import Constant, Linear
from gradstep.search import LogRange, Range, optuna_search
from support.search_problems import BEST, distance

SPACE = {"lr": LogRange(1e-5, 1e1), "momentum": Range(0.5, 0.9), "shape": [Constant(1), Linear(1, 0, 54)], "steps": 54}


@pytest.fixture
def _quiet():
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_finds_the_known_optimum(pruner):
    def search():
        return optuna_search(distance, SPACE, 54, trials=25, pruner=pruner, seed=2)

    result = search()
    assert len(result.rows) == 25
    assert abs(math.log10(result.best["lr"]) - BEST) < 0.5  # of 6 decades; 25 blind draws are within 0.12 on average
    assert result.rows[0].updates == 54
    assert {row.updates for row in result.rows} <= {2, 6, 18, 54}
    assert any(row.updates < 54 for row in result.rows)
    assert all(0.5 <= row.candidate["momentum"] <= 0.9 and row.candidate["steps"] == 54 for row in result.rows)
    assert {row.candidate["shape"] for row in result.rows} == set(SPACE["shape"])
    assert search() == result


@pytest.mark.usefixtures("_quiet")
def test_maximize_and_what_is_not_finite():
    def train(trial):
        return math.nan if trial["lr"] > 0.1 else trial["lr"]

    result = optuna_search(train, {"lr": LogRange(1e-5, 1e1)}, 27, trials=25, seed=1, maximize=True)
    assert 0.01 < result.best["lr"] <= 0.1
    assert {row.updates for row in result.rows if math.isnan(row.metric)} == {1}


@pytest.mark.usefixtures("_quiet")
def test_what_train_raises_ends_the_search():
    def train(trial):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        optuna_search(train, SPACE, 27)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"updates": 0}, "updates is 0: it counts updates"),
        ({"trials": 0}, "trials is 0"),
        ({"pruner": "none"}, "pruner is 'none': it must be one of 'median', 'hyperband'"),
        ({"space": {}}, r"the space is \{\}: it must be a dict"),
    ],
)
def test_refused(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        optuna_search(distance, **{"space": SPACE, "updates": 27, **given})


def test_without_optuna(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match="optuna_search needs optuna: pip install optuna, or use successive_halving"):
        optuna_search(distance, SPACE, 27)
