"""The injector itself: it reaches each line, and tells halves from wholes."""

import pytest

from support.injecting import assert_all_or_nothing, each_line

HERE = (__file__,)


class Pair:
    def __init__(self):
        self.first = self.second = 0

    def set_by_halves(self):
        self.first = 1
        self.second = 1

    def set_at_once(self):
        first = 1
        second = 1
        self.first, self.second = first, second

    def put_back(self):
        held = vars(self).copy()
        try:
            self.first = 1
            self.second = 1
        except BaseException:
            vars(self).update(held)
            raise

    def lose(self):
        try:
            self.first = self.second = int("1")
        except KeyboardInterrupt:
            self.set_at_once = self.put_back = None
            vars(self)["lose"] = lambda: None
            raise


def test_each_line_is_reached_once():
    found = list(each_line(Pair, Pair.set_by_halves, MemoryError, HERE))
    assert [(each.subject.first, each.subject.second) for each in found] == [(0, 0), (1, 0)]
    assert [type(each.raised) for each in found] == [MemoryError, MemoryError]


def test_a_loop_is_tried_as_often_as_asked():
    seen = []

    def call(numbers):
        for number in range(5):
            numbers.append(number)

    for each in each_line(list, call, folders=HERE, repeats=3):
        seen.append(each.subject)
    assert seen == [[], [], [0], [0], [0, 1], [0, 1]]


def test_halves_and_wholes():
    def look(pair):
        return pair.first, pair.second

    assert_all_or_nothing(Pair, Pair.set_at_once, look, folders=HERE)
    assert_all_or_nothing(Pair, Pair.put_back, look, folders=HERE)
    with pytest.raises(AssertionError, match=r"half of it was done .*test_injecting.py:\d+ \(time 1\)"):
        assert_all_or_nothing(Pair, Pair.set_by_halves, look, folders=HERE)
    with pytest.raises(AssertionError, match="it can't be done any more"):
        assert_all_or_nothing(Pair, lambda pair: pair.lose(), look, folders=HERE)
    with pytest.raises(AssertionError, match="changes nothing"):
        assert_all_or_nothing(Pair, lambda pair: None, look, folders=HERE)
