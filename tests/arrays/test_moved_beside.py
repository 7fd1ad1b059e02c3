"""Moved arrays other than dense gradients and states: sums of micro-batches, rows, averages, those of a property."""

import numpy as np
import pytest
import torch
from test_moved_arrays import (
    REFUSALS,
    Exporting,
    Mode,
    Once,
    between,
    in_a_mode,
    in_dlpack,
    is_possible,
    make_step,
    step_with,
)

import gradstep
from support.arrays import normal, to_torch
from support.cases import CASES
from support.injecting import frozen
from support.moving import COLUMNS, ROWS, Training, moves

ADAM = next(case for case in CASES if case.name == "Adam")


def check(make, moment, name, index, move):
    """Move an array at that moment: the step equals the twin's over moved arrays, or is refused and changes nothing."""
    training = make()
    array = training.touched(index)[name]
    text = f"{move.name} of {name} {index} {moment.__name__}"
    if not move.fits:
        before = training.look(array)
        made = make_step(training, moment, lambda: move.do(array))
        if not (made and move.only_if_written and name == "gradient"):
            assert not made, f"{text} was not refused"
            assert training.look(array) == before, text
        return
    other = make()
    with torch.no_grad():
        move.do(other.touched(index)[name])
    expected = other.copied()
    expected.step()
    assert make_step(training, moment, lambda: move.do(array)), f"{text} was refused"
    assert training.look() == expected.look(), text


def check_all(make, kind, moment, names=None):
    tried = 0
    for index in (0, 1):
        for name, array in make().touched(index).items():
            for move in moves(array) if names is None or name in names else ():
                if is_possible(ADAM, kind, moment, name, index, move):
                    check(make, moment, name, index, move)
                    tried += 1
    assert tried


# -- gradients that are properties


class Leading(torch.Tensor):
    """A parameter whose gradient is a property that runs foreign code."""

    accident = None

    @property
    def grad(self):
        if Leading.accident:
            Leading.accident()
        return torch.Tensor.grad.__get__(self)

    @grad.setter
    def grad(self, gradient):
        torch.Tensor.grad.__set__(self, gradient)


class WithProperties(Training):
    def _array(self, values):
        return to_torch(values).clone().as_subclass(Leading)


def in_a_property(training, accident):
    step_with(Leading, training, accident)


def test_moved_by_a_property():
    check_all(lambda: WithProperties(ADAM, "optim"), "optim", in_a_property)


# -- sums of micro-batches


class Summing(Training):
    """In the middle of an update: two micro-batches have been added, or are the state's sums for the last one."""

    def _array(self, values):
        array = super()._array(values)
        return array.bfloat16() if self.kind == "optim" else array  # to a float32 .grad torch adds by itself


@pytest.mark.parametrize("accumulate", [3, 4], ids=["last", "in between"])
@pytest.mark.parametrize(
    ("kind", "moment"),
    [("numpy", between), ("numpy", in_dlpack), ("tensors", in_a_mode), ("optim", between), ("optim", in_a_mode)],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_sums(kind, moment, accumulate):
    check_all(lambda: Summing(ADAM, kind, accumulate=accumulate), kind, moment, ("gradient_sum", "gradient"))


# -- rows


class Sparse(Training):
    """A training with sparse gradients; with lazy_rows the other rows have skipped updates."""

    def give(self, gradients):
        self.indices = [np.array([4, 1, 4]) + i for i in (0, 1)]
        self.values = [self._array(normal(50 + i, (3, COLUMNS))) for i in (0, 1)]
        if self.kind != "numpy":
            self.indices = [torch.from_numpy(each).clone() for each in self.indices]
        super().give([self._rows(i) for i in (0, 1)])

    def _rows(self, i):
        if self.kind == "numpy":
            return gradstep.Rows(self.indices[i], self.values[i])
        return torch.sparse_coo_tensor(self.indices[i][None], self.values[i], (ROWS, COLUMNS), check_invariants=False)

    def touched(self, index):
        rows = self.gradient(index)
        if self.kind == "numpy":
            return {"indices": rows.indices, "values": rows.values, **self._kept(index)}
        return {"indices": rows._indices(), "values": rows._values(), **self._kept(index)}

    def _kept(self, index):
        return {"parameter": self.parameters[index], **self.state(index)}

    def look_at_kept(self, left_out=None):
        kept = [each for index in (0, 1) for each in self._kept(index).values()]
        return [each.copy() if isinstance(each, np.ndarray) else each.clone() for each in kept if each is not left_out]


def in_values(training, accident):
    training.gradients[1] = gradstep.Rows(training.indices[1], Exporting(training.values[1], accident))
    training.step()


def sparse(kind, lag):
    options = {"lazy_rows": lag, **({} if lag else {"ema": None, "cast_to": None, "weight_decay": 0.0})}
    options["ema_bias_correction"] = lag
    name = "Adam" if lag else "SparseAdam"
    return Sparse(next(case for case in CASES if case.name == name), kind, **options)


def is_possible_of_rows(training, name, index, move):
    if (name, index, training.kind) == ("values", 1, "numpy"):
        return True
    if name in ("indices", "values") and training.kind == "optim":
        return "storage" in move.name  # the rest is of another tensor over it
    return not (name == "parameter" and move.name == "swap_tensors")


@pytest.mark.parametrize("lag", [False, True], ids=["resting", "lagging"])
@pytest.mark.parametrize(
    ("kind", "moment"), [("numpy", between), ("numpy", in_values), ("optim", between), ("optim", in_a_mode)]
)
def test_rows(kind, moment, lag):
    expected = sparse(kind, lag)
    expected.step()
    for index in (0, 1):
        for name, array in sparse(kind, lag).touched(index).items():
            for move in moves(array):
                training = sparse(kind, lag)
                if not is_possible_of_rows(training, name, index, move) or (move.fits and move.name == "t_"):
                    continue
                moved = training.touched(index)[name]
                text = f"{move.name} of {name} {index} {moment.__name__}"
                before = frozen(training.look_at_kept(moved))
                made = make_step(training, moment, lambda m=move, a=moved: m.do(a))
                owned = name == "indices" and moment is in_values  # the step has a copy by then
                read = move.only_if_written and name in ("indices", "values")
                if move.fits or owned or (made and read):
                    assert made, f"{text} was refused"
                    assert frozen(training.look_at_kept()) == frozen(expected.look_at_kept()), text
                else:
                    assert not made, f"{text} was not refused"
                    assert frozen(training.look_at_kept(moved)) == before, text


# -- calls other than a step


def caught_up(training):
    training.optimizer.catch_up()


def swapped(training):
    with training.optimizer.averages.swapped_in():
        pass


def swapped_in(training):
    training.optimizer.averages.swapped_in().__enter__()


def loaded(training):
    training.optimizer.averages.load_state_dict({i: normal(60 + i, (ROWS, COLUMNS)) for i in (0, 1)})


def evaluated(training):
    training.optimizer.eval()


def trained_again(training):
    training.optimizer.eval()
    training.optimizer.train()


FREE = next(case for case in CASES if case.name == "ScheduleFreeAdamW")
#: how a training is made, the call, and what is moved before it
CALLS = [
    (lambda kind: sparse(kind, True), caught_up, ("parameter", "exp_avg", "exp_avg_sq", "ema")),
    (lambda kind: Training(ADAM, kind), swapped, ("parameter", "ema")),
    (lambda kind: Training(ADAM, kind), swapped_in, ("parameter", "ema")),
    (lambda kind: Training(ADAM, kind), loaded, ("ema",)),
    (lambda kind: Training(FREE, kind), evaluated, ("parameter", "z")),
    (lambda kind: Training(FREE, kind), trained_again, ("parameter", "z")),
]


@pytest.mark.parametrize("in_mode", [False, True])
@pytest.mark.parametrize("kind", ["numpy", "optim"])
@pytest.mark.parametrize(("make", "call", "names"), CALLS, ids=lambda x: getattr(x, "__name__", ""))
def test_calls_beside_a_step(make, call, names, kind, in_mode):
    if in_mode and kind == "numpy":
        pytest.skip("no code of others runs")
    expected = make(kind)
    call(expected)
    for name in names:
        for move in moves(touched(expected, name)):
            if move.name in ("t_", "swap_tensors") or (move.only_if_written and name in ("ema", "z")):
                continue  # other values in their places; another parameter; only read, mostly
            training = make(kind)
            array = touched(training, name)
            text = f"{move.name} of {name}"
            before = frozen(held(training, array))
            made = beside(training, call, lambda m=move, a=array: m.do(a), in_mode)
            if move.fits or (in_mode and made):
                assert made, f"{text} was refused"
            if move.fits:
                assert frozen(held(training)) == frozen(held(expected)), text
            elif not in_mode:
                assert not made, f"{text} was not refused"
                assert frozen(held(training, array)) == before, text


def touched(training, name):
    return training.parameters[0] if name == "parameter" else training.state(0)[name]


def held(training, left_out=None):
    kept = [each for i in (0, 1) for each in (training.parameters[i], *training.state(i).values())]
    return [each.copy() if isinstance(each, np.ndarray) else each.clone() for each in kept if each is not left_out]


def beside(training, call, do, in_mode):
    """Make the call with that accident before it, or in it; False if it was refused."""
    accident = Once(do)
    try:
        if in_mode:
            with Mode(accident):
                call(training)
        else:
            accident()
            call(training)
    except REFUSALS:
        return False
    finally:
        assert accident.error is None, accident.error
    return True
