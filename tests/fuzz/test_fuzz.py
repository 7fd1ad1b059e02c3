"""A fixed number of random cases, in a process that a case may kill: see README.md."""

import sys

import pytest

from .__main__ import KINDS
from .running import outcomes, summary

SEED = 12


def run(count, kinds=frozenset()):
    found = list(outcomes(SEED, 0, count, 60, []))
    failed = [
        f"{each.kind}: python -m tests.fuzz --seed {SEED} --case {each.number}\n{each.words}"
        for each in found
        if each.what == "failed"
    ]
    assert not failed, "\n".join(failed)
    print(summary(found), file=sys.stderr)
    assert len(found) == count
    assert {each.kind for each in found if each.what == "ok"} >= kinds


@pytest.mark.once
def test_random_cases():
    run(3000, set(KINDS))


def test_a_few_random_cases():
    run(250)
