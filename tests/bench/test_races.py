"""Races: their turns, their ratios, and what is held against the targets."""

import pytest

from gradstep_bench.results import Subject, summarize
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.suite import RUNS
from gradstep_bench.targets import BEST, TARGETS, Target, judge, named_peers
from gradstep_bench.timing import YARDSTICK, Pace, run_race


def test_ratios_are_of_the_same_round():
    race = {GRADSTEP: [1.0, 10.0, 2.0], "fused": [2.0, 20.0, 4.0], YARDSTICK: [0.5, 5.0, 1.0]}
    ours, fused, memory = summarize(Subject("big", "adam", 1, 28), [race], {})
    assert (ours.seconds, ours.share, ours.times_gradstep) == (2.0, 0.5, 1)
    assert (fused.share, fused.times_gradstep) == (0.25, 2)
    assert memory.contestant == YARDSTICK


def results_of(*races):
    return summarize(Subject("big", "radam", 1), list(races), {})


def test_targets_are_of_what_can_be_run():
    for target in TARGETS:
        assert target.rule in RUNS[target.case].rules
        peers = RUNS[target.case].peers_of(target.rule)
        assert target.against in (*peers, BEST, YARDSTICK)


def test_the_best_peer_is_judged():
    slow, slower = {GRADSTEP: [1.0] * 3, "default": [9.0] * 3}, {GRADSTEP: [1.0] * 3, "foreach": [3.0] * 3}
    verdict = judge(Target("big", "radam", BEST, 4), results_of(slow, slower))
    assert (verdict.measured, verdict.reached, verdict.peer.contestant) == (3, False, "foreach")


@pytest.mark.parametrize(("at_least", "reached"), [(9, True), (9.1, False), (None, None)])
def test_a_named_peer_is_judged(at_least, reached):
    results = results_of({GRADSTEP: [1.0] * 3, "default": [9.0] * 3})
    assert judge(Target("big", "radam", "default", at_least), results).reached is reached


def test_only_peers_that_targets_name_are_measured():
    assert named_peers("tiny", "adam") == ["fused", "default"]
    assert named_peers("big", "adam") == ["fused"]
    assert named_peers("big", "radam") == []


def test_preparation_is_before_every_call():
    calls = []

    class Prepared:
        def prepare(self):
            calls.append("prepare")

        def __call__(self):
            calls.append("call")

    race = run_race({"prepared": Prepared(), "plain": lambda: calls.append("plain")}, Pace.quick())
    assert all(seconds > 0 for seconds in (*race["prepared"], *race["plain"]))
    of_prepared = [call for call in calls if call != "plain"]
    assert of_prepared == ["prepare", "call"] * (len(of_prepared) // 2)
