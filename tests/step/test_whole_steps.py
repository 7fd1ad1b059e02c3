"""An exception of any kind, anywhere in a step: none of the update is made, or all of it and it is counted."""

import os
import signal
import threading

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

import gradstep
from gradstep import functional, optim
from support.arrays import normal
from support.injecting import assert_all_or_nothing, frozen

SIZE = 5
RATE = gradstep.Linear(0.1, 0.01, 10)
OTHER_RATE = gradstep.Constant(0.5)
OPTIONS = {"ema": 0.9, "ema_bias_correction": True, "cast_to": "f16"}


class Own(BaseException):
    """An exception that no library knows."""


class Subject:
    """An optimizer over two parameters, the gradients of its next step and all that can be seen of both."""

    def __init__(self, make, dtype="f32", over_torch=False, steps=1):
        self.over_torch = over_torch
        arrays = [normal(seed, SIZE, dtype) for seed in (1, 2)]
        kind = torch.bfloat16 if over_torch == "bf16" else torch.float32
        self.parameters = [torch.tensor(a).to(kind) for a in arrays] if over_torch else arrays
        self.optimizer = make(self.parameters)
        for t in range(steps):
            self.take(t)
            self.step()
        self.take(steps)

    def take(self, t):
        gradients = [normal(10 * t + seed, SIZE) for seed in (3, 4)]
        if not self.over_torch:
            self.gradients = [g.astype(p.dtype) for g, p in zip(gradients, self.parameters, strict=True)]
            return
        for p, gradient in zip(self.parameters, gradients, strict=True):
            added = torch.tensor(gradient).to(p.dtype)
            p.grad = added if p.grad is None else p.grad.add_(added)

    def step(self):
        self.optimizer.step(*([] if self.over_torch else [self.gradients]))

    def look(self):
        optimizer = self.optimizer
        states = [optimizer.state.get(p) for p in self.parameters] if self.over_torch else optimizer.state
        groups = [{key: value for key, value in g.items() if key != "params"} for g in optimizer.param_groups]
        seen = [self.parameters, states, groups, optimizer.accumulated]
        if not self.over_torch:
            return [*seen, self.gradients]
        return [*seen, [(p._version, p.grad, p.grad is not None and p.grad._version) for p in self.parameters]]


def writing_over(make, value=RATE):
    """An optimizer into whose group a schedule was written since it was made."""

    def made(params):
        optimizer = make(params)
        optimizer.param_groups[0]["lr"] = value
        return optimizer

    return made


def asking_again():
    """A schedule had no value when it was asked ahead of the next step, and has one then."""
    subject = Subject(in_numpy("Adam", lr=RATE), steps=0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gradstep.Linear, "__call__", raise_value_error)
        subject.step()
    subject.take(1)
    return subject


def raise_value_error(*_):
    raise ValueError("no value")


def in_numpy(name, **options):
    return lambda params: getattr(gradstep, name)(params, **options)


def in_torch(name, **options):
    return lambda params: getattr(optim, name)(params, **options)


def spoilt(subject):
    """An optimizer whose next gradients are not finite."""
    gradients = [p.grad for p in subject.parameters] if subject.over_torch else subject.gradients
    gradients[0][2] = float("nan")
    return subject


SKIP = {"skip_nonfinite": True}
MEASURED = {"clip_norm": 0.1, "zero_grad": True, **SKIP}
SUBJECTS = {
    "first step": lambda: Subject(in_numpy("Adam", lr=0.1, **OPTIONS), steps=0),
    "plain": lambda: Subject(in_numpy("Adam", lr=0.1, **OPTIONS)),
    "schedules": lambda: Subject(in_numpy("Adam", lr=RATE, betas=(gradstep.Linear(0.8, 0.9, 5), 0.99))),
    "schedule written": lambda: Subject(writing_over(in_numpy("Adam", lr=RATE), OTHER_RATE), steps=0),
    "schedule written for a number": lambda: Subject(writing_over(in_numpy("SGD", lr=0.1)), steps=0),
    "schedule written, accumulated": lambda: Subject(writing_over(in_numpy("SGD", lr=0.1, accumulate=2)), steps=0),
    "schedule asked again": asking_again,
    "end of a schedule": lambda: Subject(in_numpy("SGD", lr=gradstep.Linear(1.0, 0.5, 2, past="error")), steps=2),
    "clip_lagged": lambda: Subject(in_numpy("SGD", lr=0.1, clip_norm=0.1, clip_lagged=True)),
    "skip_nonfinite": lambda: Subject(in_numpy("Adam", lr=0.1, skip_nonfinite=True, zero_grad=True, stats=True)),
    "shared numbers": lambda: Subject(in_numpy("Prodigy", lr=RATE), steps=0),
    "schedule-free": lambda: Subject(in_numpy("ScheduleFreeAdamW", lr=0.1)),
    "first of three": lambda: Subject(in_numpy("Adam", lr=RATE, accumulate=3), steps=0),
    "second of three": lambda: Subject(in_numpy("Adam", lr=RATE, accumulate=3)),
    "last of three": lambda: Subject(in_numpy("Adam", lr=RATE, accumulate=3), steps=2),
    "last of three in bf16": lambda: Subject(in_numpy("Adam", lr=RATE, accumulate=3), "bf16", steps=2),
    "torch, first step": lambda: Subject(in_torch("Adam", lr=RATE, **OPTIONS), over_torch=True, steps=0),
    "torch": lambda: Subject(in_torch("Adam", lr=RATE, zero_grad=True), over_torch=True),
    "torch, schedule written": lambda: Subject(
        writing_over(in_torch("Adam", lr=RATE), OTHER_RATE), over_torch=True, steps=0
    ),
    "torch, schedule written and skipped": lambda: spoilt(
        Subject(writing_over(in_torch("SGD", lr=0.1, **SKIP)), over_torch=True, steps=0)
    ),
    "torch, skip_nonfinite": lambda: Subject(in_torch("Adam", lr=RATE, skip_nonfinite=True), over_torch=True),
    "torch, skipped": lambda: spoilt(Subject(in_torch("SGD", lr=RATE, zero_grad=True, **SKIP), over_torch=True)),
    "torch, drops its sums": lambda: spoilt(Subject(in_torch("SGD", lr=RATE, accumulate=3, **SKIP), over_torch=True)),
    "torch, second of three": lambda: Subject(in_torch("Adam", lr=RATE, accumulate=3), over_torch=True),
    "torch, last of three": lambda: Subject(in_torch("Adam", lr=RATE, accumulate=3), over_torch=True, steps=2),
    "torch, first of two in bf16": lambda: Subject(in_torch("Adam", lr=RATE, accumulate=2), over_torch="bf16", steps=0),
    "torch, last of two in bf16": lambda: Subject(in_torch("Adam", lr=RATE, accumulate=2), over_torch="bf16"),
    "last of three, measured": lambda: Subject(in_numpy("SGD", lr=RATE, accumulate=3, **MEASURED), steps=2),
    "last of three, skipped": lambda: spoilt(Subject(in_numpy("SGD", lr=RATE, accumulate=3, **MEASURED), steps=2)),
    "torch, last of two, measured": lambda: Subject(in_torch("LAMB", lr=RATE, accumulate=2), over_torch="bf16"),
    "torch, last of two, skipped": lambda: spoilt(
        Subject(in_torch("LAMB", lr=RATE, accumulate=2, ema=0.9, **MEASURED), over_torch="bf16")
    ),
}


@pytest.mark.filterwarnings("ignore:.*takes over from its schedule")
@pytest.mark.parametrize("name", SUBJECTS)
def test_an_exception_at_each_line(name):
    assert_all_or_nothing(SUBJECTS[name], Subject.step, Subject.look)


@pytest.mark.parametrize("exception", [MemoryError, OverflowError, RuntimeError, Own])
@pytest.mark.parametrize("name", ["plain", "last of three", "torch, last of two in bf16"])
def test_exceptions_of_any_type(name, exception):
    # Not ValueError: a schedule raises that where it has ended, which is told in the next step.
    assert_all_or_nothing(SUBJECTS[name], Subject.step, Subject.look, exception=exception, repeats=1)


@pytest.mark.parametrize("exception", [KeyboardInterrupt, MemoryError, OverflowError, Own])
@pytest.mark.parametrize("where", ["pre hook", "post hook", "global pre hook", "global post hook", "closure"])
@pytest.mark.parametrize("name", ["torch", "torch, first step", "torch, last of two in bf16"])
def test_hooks_and_closures_that_raise(name, where, exception):
    subject, done, twin = (SUBJECTS[name]() for _ in range(3))
    done.step()

    def raise_it(*_):
        raise exception

    hooks = {
        "pre hook": subject.optimizer.register_step_pre_hook,
        "post hook": subject.optimizer.register_step_post_hook,
        "global pre hook": register_optimizer_step_pre_hook,
        "global post hook": register_optimizer_step_post_hook,
    }
    handle = hooks[where](raise_it) if where in hooks else None
    try:
        with pytest.raises(exception):
            subject.optimizer.step(*([] if handle else [raise_it]))
    finally:
        if handle:
            handle.remove()
    expected = done if "post" in where else twin
    assert frozen(subject.look()) == frozen(expected.look())
    for each in (subject, expected):
        each.take(7)
        each.step()
    assert frozen(subject.look()) == frozen(expected.look())


@pytest.mark.parametrize("name", ["adam_", "sgd_"])
def test_an_exception_at_each_line_of_a_function(name):
    def make():
        return [normal(seed, SIZE) for seed in range(4 if name == "adam_" else 2)]

    assert_all_or_nothing(make, lambda arrays: getattr(functional, name)(*arrays, step=1, lr=0.1), lambda x: x)


@pytest.fixture
def arm():
    """Interrupts the lines that follow a call, at most once a call: a signal that comes late does nothing."""
    pending = []

    def interrupt(*_):
        if pending:
            pending.clear()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)

    def arm(seconds):
        pending.append(seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return pending

    yield arm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_signals_in_long_steps(arm):
    size = 1 << 18
    p = torch.zeros(size)
    optimizer = optim.Adam([p], lr=gradstep.Linear(0.1, 0.01, 1000))
    p.grad = torch.ones(size)
    optimizer.step()
    version, interrupted = p._version, 0
    for i in range(40):
        try:
            pending = arm(1e-4 * (1 + i % 8))
            for _ in range(50):
                optimizer.step()
            pending.clear()
        except KeyboardInterrupt:
            interrupted += 1
        updates = optimizer.param_groups[0]["updates"]
        assert optimizer.state[p]["step"].item() == updates == 1 + p._version - version
    assert interrupted > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
@pytest.mark.filterwarnings("ignore:.*use of fork")
def test_a_fork_in_long_steps():
    p = np.zeros(1 << 19, np.float32)
    optimizer = gradstep.Adam([p], lr=RATE)
    gradient, ended = np.ones_like(p), threading.Event()
    optimizer.step([gradient])

    def go_on():
        while not ended.is_set():
            optimizer.step([gradient])

    def is_whole():
        steps = int(optimizer.state[0]["step"])
        twin = np.zeros(1, np.float32)
        other = gradstep.Adam([twin], lr=RATE)
        for _ in range(steps):
            other.step([np.ones_like(twin)])
        return steps == optimizer.param_groups[0]["updates"] and (p == twin).all()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        for _ in range(2):
            child = os.fork()
            if child == 0:
                try:
                    right = is_whole()
                    optimizer.step([gradient])
                    os._exit(0 if right and is_whole() else 3)
                finally:
                    os._exit(4)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        ended.set()
        thread.join()
