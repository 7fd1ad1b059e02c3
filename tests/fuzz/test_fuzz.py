"""A fixed number of random cases, in a process that may die of one: see README.md."""

import sys

import pytest

from .__main__ import KINDS
from .running import outcomes, summary

SEED = 12
#: forks depend on the time of day: they are for runs by hand
REPEATABLE = [kind for kind in KINDS if kind != "forks"]
ONLY = " ".join(f"--only {kind!r}" for kind in REPEATABLE)


def run(count, kinds=frozenset()):
    found = list(outcomes(SEED, 0, count, 60, REPEATABLE))
    failed = [
        f"{each.kind}: python -m tests.fuzz --seed {SEED} --case {each.number} {ONLY}\n{each.words}"
        for each in found
        if each.what == "failed"
    ]
    assert not failed, "\n".join(failed)
    print(summary(found), file=sys.stderr)
    assert len(found) == count
    assert {each.kind for each in found if each.what == "ok"} >= kinds


@pytest.mark.door
def test_random_cases():
    run(3000, set(REPEATABLE))


def test_a_few_random_cases():
    run(250)
