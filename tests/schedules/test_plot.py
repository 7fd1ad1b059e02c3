"""Schedules as curves."""

import numpy as np
import pytest

import gradstep as gs

pytest.importorskip("matplotlib")
from matplotlib import pyplot
from matplotlib.figure import Figure

S = gs.CosineDecay(0.3, 100)


def data(axes):
    return [(line.get_label(), *line.get_data()) for line in axes.lines]


def test_plot_draws_every_update():
    axes = Figure().subplots()
    assert S.plot(120, axes) is axes
    gs.Constant(0.1).plot(50, axes, label="flat")
    (first, t, values), (second, u, flat) = data(axes)
    assert (first, second) == (repr(S), "flat")
    np.testing.assert_array_equal(t, range(120))
    np.testing.assert_array_equal(values, S(range(120)))
    np.testing.assert_array_equal(u, range(50))
    assert set(flat) == {0.1}
    assert axes.get_xlabel() == "updates already applied, t"


@pytest.mark.parametrize(("steps", "marker"), [(60, "o"), (61, "")])
def test_few_updates_are_dots(steps, marker):
    (line,) = S.plot(steps, Figure().subplots()).lines
    assert line.get_marker() == marker


def test_plot_without_axes_makes_a_figure_that_can_be_shown():
    axes = S.plot(3)
    try:
        assert axes.figure.number in pyplot.get_fignums()
    finally:
        pyplot.close(axes.figure)


def test_more_than_a_million_updates_are_thinned_out_evenly():
    ((_, t, values),) = data(gs.Linear(1, 0, 10**9).plot(10**9 + 1, Figure().subplots()))
    assert len(t) == 10**6
    assert (t[0], t[-1]) == (0, 10**9)
    assert set(np.diff(t)) == {1000, 1001}
    np.testing.assert_array_equal(values, 1 - t / 10**9)


@pytest.mark.parametrize(("steps", "kind"), [(0, ValueError), (1.5, TypeError)])
def test_refused_steps(steps, kind):
    with pytest.raises(kind, match="it counts updates"):
        S.plot(steps, Figure().subplots())


def test_more_updates_than_a_schedule_counts_are_refused():
    S.plot(2**53, Figure().subplots())
    with pytest.raises(ValueError, match=r"it must not exceed 2\*\*53"):
        S.plot(10**30, Figure().subplots())
