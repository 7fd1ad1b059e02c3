"""Arrays that are moved before a step, or by code that runs while they are read: the step is right or refused."""

import gc

import pytest
import torch

from gradstep import functional
from support.cases import CASES
from support.moving import KINDS, Training, moves

REFUSALS = (TypeError, ValueError, RuntimeError)
ONE_OF_EACH_CLASS = list({case.name: case for case in reversed(CASES)}.values())
FEW = [case for case in ONE_OF_EACH_CLASS if case.name in ("SGD", "Adam", "Prodigy")]


class Once:
    """Foreign code that moves something the first time that it runs."""

    def __init__(self, do):
        self.do, self.done, self.error = do, False, None

    def __call__(self, *_):
        if self.done:
            return
        self.done = True
        try:
            with torch.no_grad():
                self.do()
        except BaseException as error:
            self.error = error


class Exporting:
    """An array of an unknown library, readable only by DLPack."""

    def __init__(self, array, accident):
        self.array, self.accident = array, accident
        self.shape, self.dtype = array.shape, array.dtype

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **options):
        self.accident()
        return self.array.__dlpack__()


class Watching(torch.Tensor):
    """A tensor whose methods run foreign code."""

    accident = None

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if cls.accident:
            cls.accident()
        return super().__torch_function__(func, types, args, kwargs or {})


class Mode(torch.overrides.TorchFunctionMode):
    def __init__(self, accident):
        super().__init__()
        self.accident = accident

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.accident()
        return func(*args, **(kwargs or {}))


def between(training, accident):
    accident()
    training.step()


def in_dlpack(training, accident):
    training.gradients[1], gradient = Exporting(training.gradients[1], accident), training.gradients[1]
    try:
        training.step()
    finally:
        training.gradients[1] = gradient


def in_a_finalizer(training, accident):
    class Mortal:
        def __del__(self):
            accident()

    gc.disable()
    gc.freeze()  # a collection looks at what is new alone, and so takes no time
    mortal = Mortal()
    mortal.itself = mortal
    del mortal
    try:
        in_dlpack(training, gc.collect)
    finally:
        gc.unfreeze()
        gc.enable()


def step_with(kind, training, accident):
    """A step during which such a tensor's code moves something."""
    kind.accident = accident
    try:
        training.step()
    finally:
        kind.accident = None


def in_torch_function(training, accident):
    step_with(Watching, training, accident)


def in_a_mode(training, accident):
    with Mode(accident):
        training.step()


def in_a_pre_hook(training, accident):
    handle = training.optimizer.register_step_pre_hook(accident)
    training.step()
    handle.remove()


def in_a_closure(training, accident):
    training.step(accident)


MOMENTS = {
    "numpy": [between, in_dlpack, in_a_finalizer],
    "tensors": [between, in_dlpack, in_torch_function, in_a_mode],
    "optim": [between, in_a_pre_hook, in_a_closure, in_a_mode],
    "device": [between, in_a_closure, in_a_mode],
}


def make_step(training, moment, do):
    """Make the step with that accident in it; False if it was refused."""
    accident, refusal = Once(do), None
    try:
        moment(training, accident)
    except REFUSALS as error:
        refusal = error
    assert accident.done, "nothing ran there"
    assert accident.error is None, accident.error
    assert refusal is None or len(str(refusal)) > 40, refusal
    return refusal is None


def check(case, kind, moment, name, index, move):
    training = Training(case, kind)
    if moment is in_torch_function:
        training.gradients[1] = training.gradients[1].as_subclass(Watching)
    array = training.touched(index)[name]
    if move.fits:
        other = Training(case, kind)
        with torch.no_grad():
            move.do(other.touched(index)[name])
        expected = other.copied()
        expected.step()
        before = None
    else:
        before = training.look(array)
    made = make_step(training, moment, lambda: move.do(array))
    text = f"{move.name} of {name} {index} {moment.__name__}"
    if move.fits:
        assert made, f"{text} was refused"
        assert training.look() == expected.look(), text
    elif not (made and move.only_if_written and name == "gradient"):
        assert not made, f"{text} was not refused"
        assert training.look(array) == before, text


def every_move(case, kind, moment):
    """All arrays that a step touches, with each way to move them."""
    training = Training(case, kind)
    for index in (0, 1):
        for name, array in training.touched(index).items():
            for move in moves(array):
                if is_possible(case, kind, moment, name, index, move):
                    yield name, index, move


def is_possible(case, kind, moment, name, index, move):
    if name == "gradient" and move.name == "swap_tensors":
        return kind == "tensors"  # torch refuses it for a parameter's
    if name == "parameter" and move.name == "swap_tensors" and case.name == "Prodigy":
        return kind == "tensors"  # it takes .grad away, and a parameter without one leaves its copy of shared numbers
    if name == "parameter" and kind == "tensors" and (move.name == "resize_ to more" or "storage" in move.name):
        return False  # NumPy has had a view of it
    exported = name == "gradient" and index == 1 and moment in (in_dlpack, in_a_finalizer)
    return not (exported and "storage" in move.name)  # DLPack does not tell of it


@pytest.mark.parametrize("kind", ["numpy", "optim"])
@pytest.mark.parametrize("case", ONE_OF_EACH_CLASS, ids=str)
def test_moved_between_steps(case, kind):
    for name, index, move in every_move(case, kind, between):
        if index == 0:
            check(case, kind, between, name, index, move)


@pytest.mark.parametrize(
    ("kind", "moment"),
    [(kind, moment) for kind in KINDS for moment in MOMENTS[kind]],
    ids=lambda x: getattr(x, "__name__", x),
)
@pytest.mark.parametrize("case", FEW, ids=str)
def test_moved_in_the_middle(case, kind, moment):
    if moment is in_a_finalizer and case.name != "SGD":
        pytest.skip("the garbage collector takes its time: once is enough")
    for name, index, move in every_move(case, kind, moment):
        check(case, kind, moment, name, index, move)


@pytest.mark.parametrize(
    ("kind", "moment"),
    [("numpy", in_dlpack), ("tensors", in_a_mode), ("optim", in_a_closure), ("device", in_a_closure)],
    ids=lambda x: getattr(x, "__name__", x),
)
@pytest.mark.parametrize("case", [case for case in ONE_OF_EACH_CLASS if case not in FEW], ids=str)
def test_moved_in_the_middle_of_any_class(case, kind, moment):
    # The ways to move are those of the classes above; here each array is moved once, and lost once.
    for name, index, move in every_move(case, kind, moment):
        if index == 0 and move.name in ("set_", "resize there and back", "a smaller storage", "resize to less"):
            check(case, kind, moment, name, index, move)


CALLS = {
    "norm": lambda x: functional.norm(x),
    "unscale_": lambda x: functional.unscale_(x, 2.0),
    "clip_norm_": lambda x: functional.clip_norm_(x, 1.0),
    "clip_value_": lambda x: functional.clip_value_(x, 1.0),
    "zero_": lambda x: functional.zero_(x),
    "average_": lambda x: functional.average_(x[:2], x[2:], 0.5),
    "cast_": lambda x: functional.cast_(x[:2], x[2:]),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_apart_from_a_step(name):
    # One that is moved while they read is refused, whatever lies in its former place; the call goes on from there.
    arrays, twins = ([torch.full((6,), 3.0).clone() for _ in range(4)] for _ in range(2))
    arrays[3] = arrays[3].as_subclass(Watching)
    Watching.accident = Once(lambda: arrays[0].set_(arrays[0].clone()))
    try:
        with pytest.raises(RuntimeError, match=r"moved by code that runs while they are read .*: let it leave them"):
            CALLS[name](arrays)
    finally:
        Watching.accident = None
    assert all(torch.equal(array, torch.full((6,), 3.0)) for array in arrays)
    assert CALLS[name](arrays) == CALLS[name](twins)
    for found, expected in zip(arrays, twins, strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("method", ["is_neg", "untyped_storage", "storage_offset"])
def test_an_interrupt_in_code_of_others_comes_through(method):
    class Interrupting(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func.__name__ == method:
                raise KeyboardInterrupt
            return super().__torch_function__(func, types, args, kwargs or {})

    p, optimizer = (training := Training(FEW[0], "tensors")).parameters[0], training.optimizer
    before = training.look()
    with pytest.raises(KeyboardInterrupt):
        optimizer.step([torch.ones_like(p).as_subclass(Interrupting), None])
    assert training.look() == before
