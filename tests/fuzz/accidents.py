"""Changes that other code makes to the arrays of a training, between and during its steps.

After an accident that keeps all values a step must do what it would have done. After any other it must be refused, and
must have changed nothing: once the accident is undone, the training goes on as if there had been none.
"""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from .drawing import Draw, NotApplicable
from .routes import made
from .setups import any_setup
from .trainings import Training, assert_same

Undo = Callable[[], None]


class Victim(NamedTuple):
    """An array that a step touches, and where it is held."""

    role: str
    number: int  #: of its parameter
    array: Any
    holder: Any = None
    key: Any = None


def victims(training: Training, gradients: list[Any]) -> list[Victim]:
    """Those with two elements or more, in which an accident shows."""
    found = [Victim("parameter", i, p) for i, p in enumerate(training.parameters)]
    given = gradients if training.layer == "numpy" else [p.grad for p in training.parameters]
    found += [Victim("gradient", i, g) for i, g in enumerate(given)]
    for i, state in enumerate(training.states()):
        held = {key: array for key, array in state.items() if key != "gradient_sum"}  # which the step does not read
        found += [Victim(f"state {key}", i, array, state, key) for key, array in held.items()]
    kind = np.ndarray if training.layer == "numpy" else torch.Tensor
    return [each for each in found if isinstance(each.array, kind) and counted(each.array) > 1]


def counted(array: Any) -> int:
    if isinstance(array, np.ndarray):
        return array.size
    return 0 if array.is_sparse else array.numel()


def is_straight(array: Any) -> bool:
    """Whether the array fills memory of its own, in order."""
    if isinstance(array, np.ndarray):
        return bool(array.flags.c_contiguous and array.flags.owndata)
    return array.is_contiguous() and array.untyped_storage().nbytes() == array.numel() * array.element_size()


def resizable(array: Any) -> bool:
    if isinstance(array, np.ndarray):
        return is_straight(array)
    # torch itself crashes where a storage in shared memory grows
    return is_straight(array) and array.untyped_storage().resizable() and not array.is_shared()


# -- that keep all values


def move(draw: Draw, victim: Victim) -> None:
    """Put the values elsewhere in memory."""
    choice = draw.choice(NUMPY_MOVES if isinstance(victim.array, np.ndarray) else TORCH_MOVES)
    choice(victim)


def grow_and_shrink(victim: Victim) -> None:
    array = victim.array
    need(resizable(array))
    shape, whole = array.shape, counted(array)
    if isinstance(array, np.ndarray):
        array.resize((whole + 100_000,), refcheck=False)
        array.resize(shape, refcheck=False)
    else:
        array.resize_(whole + 100_000)
        array.resize_(shape)


def replace(victim: Victim) -> None:
    need(victim.holder is not None)
    victim.holder[victim.key] = victim.array.copy() if isinstance(victim.array, np.ndarray) else victim.array.clone()


def new_data(victim: Victim) -> None:
    victim.array.data = victim.array.data.clone()


def set_(victim: Victim) -> None:
    victim.array.set_(victim.array.clone())


def share(victim: Victim) -> None:
    victim.array.share_memory_()


def swap(victim: Victim) -> None:
    need(victim.holder is not None)  # a parameter's .grad would go with it, and a gradient is not alone
    try:
        torch.utils.swap_tensors(victim.array, victim.array.clone())
    except RuntimeError as elsewhere:
        raise NotApplicable("something else refers to it") from elsewhere


def grow_storage(victim: Victim) -> None:
    need(resizable(victim.array))
    storage = victim.array.untyped_storage()
    storage.resize_(storage.nbytes() + 1_000_000)


NUMPY_MOVES = [grow_and_shrink, replace]
TORCH_MOVES = [grow_and_shrink, replace, new_data, set_, share, swap, grow_storage]


def need(condition: bool) -> None:
    if not condition:
        raise NotApplicable("this array can't be moved so")


# -- that take something away


def shrink(training: Training, victim: Victim) -> Undo:
    array = victim.array
    need(resizable(array))
    if isinstance(array, np.ndarray):
        held, shape = array.copy(), array.shape
        array.resize((array.size // 2,), refcheck=False)

        def undo() -> None:
            array.resize(shape, refcheck=False)
            array[...] = held

        return undo
    kept, size = array.clone(), array.shape
    array.resize_(array.numel() // 2)
    return lambda: array.resize_(size).copy_(kept)


def free_storage(training: Training, victim: Victim) -> Undo:
    need(training.layer == "torch" and resizable(victim.array))
    kept, storage = victim.array.clone(), victim.array.untyped_storage()
    size = storage.nbytes()
    storage.resize_(0)

    def undo() -> None:
        storage.resize_(size)
        victim.array.copy_(kept)

    return undo


def other_shape(training: Training, victim: Victim) -> Undo:
    need(training.layer == "torch")
    kept = victim.array.data
    victim.array.data = torch.zeros(counted(victim.array) + 3, dtype=kept.dtype)

    def undo() -> None:
        victim.array.data = kept

    return undo


def forbid_writing(training: Training, victim: Victim) -> Undo:
    need(training.layer == "numpy" and victim.role != "gradient" and victim.array.flags.writeable)
    victim.array.setflags(write=False)
    return lambda: victim.array.setflags(write=True)


def wrong_state(training: Training, victim: Victim) -> Undo:
    need(victim.holder is not None)
    holder, key, kept = victim.holder, victim.key, victim.array
    holder[key] = np.zeros(kept.size + 1) if training.layer == "numpy" else torch.zeros(kept.numel() + 1)
    return lambda: holder.update({key: kept})


def longer_list(training: Training, victim: Victim) -> Undo:
    need(training.layer == "numpy")
    listed = training.optimizer.param_groups[-1]["params"]
    listed.append(np.zeros(3))
    return lambda: listed.__delitem__(-1)


def shorter_list(training: Training, victim: Victim) -> Undo:
    need(training.layer == "numpy")
    listed = training.optimizer.param_groups[0]["params"]
    need(bool(listed))
    kept = listed.pop()
    return lambda: listed.append(kept)


LOSSES = [shrink, free_storage, other_shape, forbid_writing, wrong_state, longer_list, shorter_list]


def accidents(draw: Draw) -> str:
    """A training with accidents before its steps, and its twin without."""
    setup = any_setup(draw, awkward=False)
    training, twin = made("the twins", lambda: Training(setup), lambda: Training(setup))
    told: list[str] = []
    for _ in range(setup.steps + 1):
        gradients = training.prepare()
        found = victims(training, gradients)
        if found and draw.chance(0.7):
            with contextlib.suppress(NotApplicable):
                told.append(suffer(draw, training, gradients, draw.choice(found)))
        refused, others = training.attempt(gradients), twin.step()
        need(not waits_for_rows(refused))
        assert type(refused) is type(others), f"after {told}: {refused!r}, the twin {others!r}"
        assert_same(training.result(), twin.result(), f"after {told}, step {training.made}")
    if not told:
        raise NotApplicable("no accident")
    return ", ".join(told)


def suffer(draw: Draw, training: Training, gradients: list[Any], victim: Victim) -> str:
    if draw.chance(0.6):
        move(draw, victim)
        return f"{victim.role} moved"
    loss = draw.choice(LOSSES)
    need(is_used(training, gradients, victim) or loss in (longer_list, shorter_list))
    before = training.look(versions=False)
    undo = loss(training, victim)
    try:
        refused = training.attempt(gradients)
    finally:
        undo()
    assert refused is not None, f"{loss.__name__} of the {victim.role} was not refused"
    assert_same(training.look(versions=False), before, f"{loss.__name__} of the {victim.role}, refused by {refused}")
    return f"{loss.__name__} of the {victim.role}"


def waits_for_rows(refused: BaseException | None) -> bool:
    """Whether a state was replaced for which rows lag behind: that is refused until they catch up."""
    return "call catch_up() before" in str(refused)


def is_used(training: Training, gradients: list[Any], victim: Victim) -> bool:
    """Whether the next step is an update for which the array must be read."""
    return makes_update(training) and gradients[victim.number] is not None


def makes_update(training: Training) -> bool:
    return bool(training.optimizer.accumulated + 1 >= training.optimizer.param_groups[0]["accumulate"])


# -- in the midst of a step


class Mover:
    """A gradient that does something when it is read."""

    def __init__(self, array: np.ndarray, act: Callable[[], Any]) -> None:
        self.array, self.act = array, act

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        self.act()
        return self.array.__dlpack__(**options)


def callbacks(draw: Draw) -> str:
    """A gradient whose reading moves, shrinks or frees what the step touches."""
    setup = any_setup(draw, layer="numpy", awkward=False, missing=0)
    training, twin = made("the twins", lambda: Training(setup), lambda: Training(setup))
    for _ in range(setup.steps):
        gradients = training.prepare()
        found = victims(training, gradients)
        straight = [i for i, g in enumerate(gradients) if isinstance(g, np.ndarray) and g.dtype.kind in "fc" and g.size]
        if not found or not straight:
            raise NotApplicable("nothing to move")
        victim, undone = draw.choice(found), []
        is_move, loss = draw.chance(0.5), draw.choice(LOSSES)

        def act() -> None:
            with contextlib.suppress(NotApplicable):
                move(draw, victim) if is_move else undone.append(loss(training, victim))  # noqa: B023

        moving = list(gradients)
        place = draw.choice(straight)
        moving[place] = Mover(gradients[place], act)
        before = training.look()
        refused = training.attempt(moving)
        for undo in reversed(undone):
            undo()
        what = f"{'a move' if is_move else loss.__name__} of the {victim.role} in the midst of step {training.made}"
        if refused is not None:
            assert_same(training.look(), before, f"{what}, refused by {refused}")
            refused = training.attempt(gradients)
        need(not waits_for_rows(refused))
        assert type(refused) is type(twin.step()), f"{what}: {refused!r}"
        assert_same(training.result(), twin.result(), what)
    return setup.name
