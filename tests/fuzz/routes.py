"""Trainings by two routes that end in the same bits, and by the formulas in float64."""

import math
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import gradstep as gs
from gradstep import _core
from support import reference
from support.cases import Case

from .drawing import Draw, NotApplicable
from .setups import Setup, any_setup
from .trainings import REFUSALS, Training, assert_same

# Ten steps of the rules at hand-picked hyper-parameters stay within 16 ulps (test_rules.py); at random ones differences
# of nearly equal numbers (RMSprop's centered variance, the weights of a power of beta near 1) multiply that. A wrong
# formula is off by 1e-2 and more.
TOLERANCE = {"f32": 2e-4, "f64": 1e-11}


def made(what: str, *makers: Callable[[], Training]) -> list[Training]:
    """The trainings, where all or none of them are refused, and with the same words.

    Raises:
        NotApplicable: they are refused.
    """
    trainings, refused = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for maker in makers:
            try:
                trainings.append(maker())
            except REFUSALS as error:
                refused.append(f"{type(error).__name__}: {error}".replace("torch.", ""))  # of a dtype
    if not refused:
        return trainings
    assert len(refused) == len(makers), f"{what}: one is refused: {refused[0]}"
    assert len(set(refused)) == 1, f"{what}: other words: {refused}"
    assert len(refused[0].split()) > 4, f"refused without words: {refused[0]}"
    raise NotApplicable(refused[0])


def step_both(first: Training, second: Training, what: str) -> None:
    """A step of each, which is refused in both or in none."""
    refusals = [first.step(), second.step()]
    kinds = [type(each).__name__ for each in refusals]
    assert kinds[0] == kinds[1], f"{what}, step {first.made}: {[repr(each) for each in refusals]}"
    assert_same(first.result(), second.result(), f"{what}, step {first.made}")


def has_sums(setup: Setup) -> bool:
    """Whether anything is summed over a tensor, in the order of its memory."""
    if Case(setup.name, {}).scope != "element":
        return True
    return any(setup.option("clip_norm")) or any(setup.option("stats"))


def layers(draw: Draw) -> str:
    """NumPy and torch."""
    setup = any_setup(draw)
    first, second = made("the layers", lambda: Training(setup, layer="numpy"), lambda: Training(setup, layer="torch"))
    for _ in range(setup.steps):
        step_both(first, second, "NumPy instead of torch")
    return setup.name


def layouts(draw: Draw) -> str:
    """Any layout and contiguous copies."""
    setup = any_setup(draw)
    if has_sums(setup):
        raise NotApplicable("sums depend on the layout")
    first, second = made("the layouts", lambda: Training(setup), lambda: Training(setup, contiguous=True))
    for _ in range(setup.steps):
        step_both(first, second, "any layout instead of contiguous")
    return setup.name


def engines(draw: Draw) -> str:
    """Any target on any threads, and the scalar one on one thread."""
    setup = any_setup(draw)
    target, count = draw.choice(_core.targets()), draw.choice([1, 2, 3])
    first, second = made("the engines", lambda: Training(setup), lambda: Training(setup))
    active = _core.active_target()
    try:
        for _ in range(setup.steps):
            choose(target, count)
            one = first.step()
            choose("scalar", 1)
            assert type(one) is type(second.step())
            assert_same(first.result(), second.result(), f"{target} on {count} threads, step {first.made}")
    finally:
        choose(active, None)
    return setup.name


def choose(target: str, threads: int | None) -> None:
    _core.select_target(target)
    gs.set_num_threads(threads)


def resumes(draw: Draw) -> str:
    """A run, and one that was saved and loaded in its midst, perhaps of the other layer."""
    setup = any_setup(draw)
    first, second = made("resuming", lambda: Training(setup), lambda: Training(setup))
    stop = draw.randrange(1, setup.steps)
    for step in range(setup.steps):
        step_both(first, second, f"resumed after {stop}")
        if step + 1 == stop:
            first.optimizer.catch_up()  # as state_dict does
            if not has_finite_numbers(second):
                raise NotApplicable("a number of a state is NaN, of an infinite gradient: what is saved is refused")
            second.resumed()
            assert_same(second.result(), first.result(), "what was loaded")
    return setup.name


def has_finite_numbers(training: Training) -> bool:
    """Whether all numbers of the states are finite: infinite gradients spoil those of Prodigy."""
    held = [state[name] for state in training.states() for name in training.optimizer.numbers if name in state]
    return all(math.isfinite(float(each)) for each in held)


def by_hand(draw: Draw) -> str:
    """Schedules, and numbers that are written before each step."""
    setup = any_setup(draw)
    first, second = made("schedules", lambda: Training(setup), lambda: Training(setup, by_hand=True))
    for _ in range(setup.steps):
        if past := rates_end(first, second):
            before = first.look()
            refused = first.step()
            assert refused is not None, f"a step is made, but the schedule says {past}"
            if first.layer == "numpy":
                assert_same(first.look(), before, "the step without a rate")
            return setup.name
        first.step()
        second.step()
        a, b = first.result(), second.result()
        del a["groups"], b["groups"]  # times, which nothing that is written by hand has
        assert_same(a, b, f"a schedule instead of numbers, step {first.made}")
    return setup.name


def rates_end(training: Training, twin: Training) -> str:
    """Write the rates of the training's next update into its twin; what a schedule with past="error" says."""
    try:
        twin.write_rates(max(group.get("updates", 0) for group in training.optimizer.param_groups))
    except ValueError as past:
        return str(past)
    return ""


def formulas(draw: Draw) -> str:
    """Plain runs, and the formulas of the papers in float64 or longdouble."""
    dtype = draw.choice(["f32", "f64"])
    setup = any_setup(draw, plain=True, dtypes=[dtype], missing=0)
    if Case(setup.name, {}).scope == "all":
        raise NotApplicable("one run over all arrays: test_prodigy.py")
    (training,) = made("the formulas", lambda: Training(setup))
    kind = {"f32": np.float64, "f64": np.longdouble}[dtype]
    starts = [np.array(numbered(p)).astype(kind) for p in training.parameters]
    given: list[list[Any]] = []
    for _ in range(setup.steps):
        gradients = training.gradients()
        given.append([numbered(gradient) for gradient in gradients])
        refused = training.step()
        assert refused is None, repr(refused)
    for i, parameter in enumerate(training.parameters):
        numbers = {key: value for key, value in training.group_of(i).items() if key != "params"}
        with np.errstate(all="ignore"):
            expected = reference.run(setup.name, starts[i], [g[i] for g in given], numbers)
        assert_near(numbered(parameter), expected, TOLERANCE[dtype], f"{setup.name} over {setup.arrays[i]}")
    return setup.name


def assert_near(found: np.ndarray, expected: SimpleNamespace, tolerance: float, what: str) -> None:
    wrong = np.abs(found - expected.p) > tolerance * np.maximum(expected.scale, expected.path)
    # The sign of a sum of rounded numbers may fall on the other side.
    assert wrong.sum() <= found.size // 1000, f"{what}: {found[wrong][:4]} instead of {expected.p[wrong][:4]}"


def numbered(array: Any) -> np.ndarray:
    return np.array(array if isinstance(array, np.ndarray) else array.detach().numpy())
