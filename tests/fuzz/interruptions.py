"""Exceptions at lines of the library, signals and forks: a call is done as a whole or not at all."""

import copy
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from support.injecting import executed, interrupted

from .drawing import Draw, NotApplicable
from .routes import made
from .setups import any_setup
from .trainings import Training, assert_same, differences

# Not ValueError: a schedule raises it where it has ended, and the step that reads ahead takes it for that.
EXCEPTIONS = [KeyboardInterrupt, MemoryError, OverflowError, RuntimeError, ZeroDivisionError]


def call_step(training: Training) -> None:
    training.call(training.held)


def call_add(training: Training) -> None:
    training.optimizer.add_param_group({"params": [training.extra], "lr": 0.25})


def call_load(training: Training) -> None:
    training.optimizer.load_state_dict(training.saved)


def injected(draw: Draw) -> str:
    """One exception at one line of one call; then the call is made again, if it has not happened, and steps follow."""
    setup = any_setup(draw, awkward=False)
    warm = draw.randrange(0, 4)
    call: Callable[[Training], None] = draw.choice([call_step, call_step, call_add, call_load])
    exception = draw.choice(EXCEPTIONS)

    def maker() -> Training:
        training = Training(setup)
        training.saved = copy.deepcopy(training.run(warm).optimizer.state_dict())  # whose arrays go on to change
        if call is call_load:
            training.run(1)
        training.extra = training.native(np.ones(5, np.float32))
        training.held = training.prepare()
        return training

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counted, subject, twin = made("the twins", maker, maker, maker)
        before = look(subject)
        try:
            call(maker())  # what is read or compiled once only
            places = executed(counted, call)
        except (TypeError, ValueError, RuntimeError) as refused:
            raise NotApplicable(str(refused)) from refused
        call(twin)
        after = look(twin)
        place, _, raised = interrupted(subject, call, draw.choice(places), exception)
        found = look(subject)
        what = f"{call.__name__}, {raised!r} at {place}"
        if found != after:
            assert_same(found, before, f"{what}: half of it was done")
            call(subject)
            assert_same(look(subject), after, f"{what}: it can't be done any more")
    if call is not call_add:
        for _ in range(2):
            assert type(subject.step()) is type(twin.step())
            assert_same(subject.result(), twin.result(), f"{what}: the steps after it")
    return f"{call.__name__} {exception.__name__}"


def look(training: Training) -> dict[str, Any]:
    seen = training.look(versions=False)
    seen["listed"] = [len(each) for each in seen["listed"]]  # of other objects in another training
    return seen


def signals(draw: Draw) -> str:
    """KeyboardInterrupt while steps run: after each the training is where some step of its twin left it."""
    setup = any_setup(draw, awkward=False, missing=0, steps=8)
    training, twin = made("the twins", lambda: Training(setup), lambda: Training(setup))
    former = signal.signal(signal.SIGALRM, interrupt)
    hits = 0
    try:
        for _ in range(setup.steps):
            gradients = training.prepare()
            before = look(training)
            again = twin.prepare()
            if twin.attempt(again) is not None:
                raise NotApplicable("refused")
            for _ in range(4):
                try:
                    signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-5, 6e-4))
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        training.call(gradients)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    break
                except KeyboardInterrupt:
                    hits += 1
                    if not differences(look(training), look(twin)):
                        break  # it was done
                    assert_same(look(training), before, "an interrupted step")
            else:
                assert training.attempt(gradients) is None
            assert_same(look(training), look(twin), f"after {hits} interrupts, step {training.made}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    return f"{hits} interrupts"


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def forks(draw: Draw) -> str:
    """A fork while another thread steps: the child finds a whole number of steps made, and goes on."""
    setup = any_setup(draw, awkward=False, missing=0, layer="numpy")  # a child of torch's threads may wait for them
    steps = 40
    training, twin = made("the twins", lambda: Training(setup), lambda: Training(setup))
    looks = [twin.result()]
    for _ in range(steps + 2):
        if twin.step() is not None:
            raise NotApplicable("refused")
        looks.append(twin.result())
    worker = threading.Thread(target=lambda: training.run(steps))
    worker.start()
    time.sleep(draw.uniform(0, 0.01))
    child = os.fork()
    if child == 0:
        os._exit(0 if went_on(training, looks) else 1)
    worker.join()
    end = time.monotonic() + 60
    while (told := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < end:
        time.sleep(0.005)
    if told[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise AssertionError("the child does not come to an end")
    assert os.waitstatus_to_exitcode(told[1]) == 0, "the child found half a step, or could not go on"
    assert_same(training.result(), looks[steps], "the parent after a fork")
    return setup.name


def went_on(training: Training, looks: list[dict[str, Any]]) -> bool:
    try:
        found = training.result()
        at = looks.index(found)
        training.made = at
        return training.step() is None and training.result() == looks[at + 1]
    except BaseException:
        return False
