"""The picture of a range test."""

import pytest

from gradstep import LRFinder
from support.tolerances import OTHER_ALGORITHM
from support.u_curves import finder_after

pytest.importorskip("matplotlib")


def new_axes():
    from matplotlib.figure import Figure

    return Figure().add_subplot()


def test_marks_the_suggestions():
    finder, ax = finder_after(noise=0.1), new_axes()
    assert finder.plot(ax) is ax
    assert ax.get_xscale() == "log"
    suggestion = finder.suggestion()
    marks = {line.get_label(): line.get_xdata()[0] for line in ax.lines if ":" in line.get_label()}
    assert marks == {f"{k.replace('_', ' ')}: {rate:.3g}": rate for k, rate in suggestion.rates().items()}
    edges = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
    assert edges == [pytest.approx(suggestion.spread[name], rel=OTHER_ALGORITHM) for name in suggestion.rates()]
    assert ax.get_title(loc="right") == "stopped: the loss diverged"


def test_divergence_does_not_flatten_the_curve():
    finder, ax = finder_after(lambda x: 2 - x / 8 if x < 0 else 1e9), new_axes()
    finder.plot(ax)
    low, high = ax.get_ylim()
    assert low < finder.losses[:-1].min()
    assert finder.losses[:-1].max() < high < 10


def test_flat_and_short_curves():
    finder, ax = LRFinder(), new_axes()
    for t, _ in enumerate(finder):
        finder.report(1.0 if t < 2 else float("nan"))
    finder.plot(ax)
    assert [line.get_label() for line in ax.lines] == ["loss"]


def test_on_a_figure_of_its_own():
    from matplotlib import pyplot

    ax = finder_after().plot()
    assert pyplot.fignum_exists(ax.figure.number)
    pyplot.close(ax.figure)


def test_nothing_to_plot():
    with pytest.raises(ValueError, match="nothing to plot: run the test first"):
        LRFinder().plot(new_axes())
