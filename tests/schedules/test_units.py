"""Times as steps."""

import pytest

import gradstep as gs

UNITS = gs.Units(steps_per_epoch=391, total="90ep", batch_size=128)


@pytest.mark.parametrize(
    ("time", "steps"),
    [
        ("5ep", 1955),
        ("0.5ep", 196),  # 195.5
        ("2.5 ep", 978),  # 977.5
        (" .1ep", 39),  # 39.1
        ("1000ba", 1000),
        ("1000st", 1000),
        ("0.9dur", 31671),
        ("1.dur", 35190),
        ("12800sp", 100),
        ("12863sp", 100),
        ("12864sp", 101),  # 100.5
        ("64sp", 1),
        ("0ep", 0),
        (17, 17),
        (0, 0),
    ],
)
def test_times_go_to_the_nearest_step(time, steps):
    assert UNITS(time) == steps
    assert type(UNITS(time)) is int


def test_shares_of_any_run_add_up():
    for total in range(1, 300):
        units = gs.Units(total=total)
        assert units("1dur") == total
        assert all(units(f"0.{tenths}dur") == (2 * tenths * total + 10) // 20 for tenths in range(6, 10))


def test_T15_a_tenth_of_one_epoch_is_not_nothing():
    assert gs.Units(steps_per_epoch=391, total="1ep")("0.1dur") == 39


def test_the_total_may_be_in_any_unit():
    assert gs.Units(total=1000)("0.25dur") == gs.Units(total="1000ba")("0.25dur") == 250
    assert gs.Units(total="12800sp", batch_size=128)("0.25dur") == 25


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: gs.Units(total=9)("2ep"), ValueError, r"'2ep' is in epochs: say .*, as in Units\(steps_per_epoch=391"),
        (
            lambda: gs.Units()("0.1dur"),
            ValueError,
            r"'0.1dur' is in fractions of the whole run: .* Units\(total='90ep'\)",
        ),
        (
            lambda: gs.Units()("9sp"),
            ValueError,
            r"'9sp' is in samples: say how long they are, as in Units\(batch_size=128",
        ),
        (
            lambda: UNITS("3 weeks"),
            ValueError,
            "'3 weeks' is not a duration: write a number and one of ep .epochs., ba ",
        ),
        (lambda: UNITS("-3ep"), ValueError, "'-3ep' is not a duration"),
        (lambda: UNITS("ep"), ValueError, "'ep' is not a duration"),
        (lambda: UNITS(".ep"), ValueError, "'.ep' is not a duration"),
        (lambda: UNITS("10"), ValueError, "'10' is not a duration"),
        (lambda: UNITS(0.5), TypeError, "time is 0.5, a float: it counts updates, so it must be an integer"),
        (lambda: UNITS(-1), ValueError, "time is -1: it counts updates and must be 0 or more"),
        (lambda: UNITS("0.001ep"), ValueError, "'0.001ep' is 0.391 of a step: less than half, which rounds to none"),
        (lambda: UNITS("99999999999999999ep"), ValueError, "it must not exceed 2"),
        (
            lambda: gs.Units(total="0.5dur"),
            ValueError,
            "total is '0.5dur': the whole run can't be a fraction of itself",
        ),
        (lambda: gs.Units(total=0), ValueError, "total is 0: it counts updates and must be 1 or more"),
        (lambda: gs.Units(steps_per_epoch=2.5), ValueError, "steps_per_epoch is 2.5: it must be an integer, 1 or more"),
        (lambda: gs.Units(batch_size=0), ValueError, "batch_size is 0: it must be an integer, 1 or more"),
    ],
)
def test_refused_times(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
