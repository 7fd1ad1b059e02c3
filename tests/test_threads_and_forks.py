"""Stepping in several threads and after fork(). Each program is a process, so a hang or crash is its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import gradstep

#: what every program starts with: a step large enough for several threads, and its result
PRELUDE = """
    import os, sys, threading
    import numpy as np
    import gradstep
    SIZE = 40 * 4096 + 17
    def make(seed=0):
        p = np.random.default_rng(seed).standard_normal(SIZE)
        return p, gradstep.Adam([p], lr=0.1, weight_decay=0.05)
    def steps(optimizer, count=5):
        for t in range(count):
            optimizer.step([np.random.default_rng(100 + t).standard_normal(SIZE)])
    def digest(p):
        return hash(p.tobytes())
    def result(seed=0, count=5):
        p, optimizer = make(seed)
        steps(optimizer, count)
        return digest(p)
    def wait(child):
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0, status
    gradstep.set_num_threads(3)
    expected = result()
"""
USE_TORCH = """
    import torch
    torch.set_num_threads(3)
    torch.ones(1 << 20).add_(1).sum()
    a = torch.ones(300, 300) @ torch.ones(300, 300)
"""
FORK = """
    child = os.fork()
    if child == 0:
        os._exit(0 if result() == expected else 3)
    wait(child)
    assert result() == expected
"""


def run(*parts):
    program = "\n".join(textwrap.dedent(part) for part in (PRELUDE, *parts))
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,  # a deadlock, not a slow machine: each takes about a second
        cwd=Path(__file__).parent,
    )
    assert done.returncode == 0, done.stderr


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@needs_fork
def test_fork_without_torch():
    run(FORK, "assert 'torch' not in sys.modules")


@needs_fork
def test_fork_of_a_fork():
    within = textwrap.indent(textwrap.dedent(FORK) + "os._exit(0)", "    ")
    run(FORK, "child = os.fork()", "if child == 0:\n" + within, "wait(child)")


@needs_fork
@pytest.mark.parametrize("order", [[FORK, USE_TORCH, FORK], [USE_TORCH, FORK], ["import torch", FORK]])
def test_fork_around_torch(torch, order):
    # Trap: after fork() the threads of the parent's OpenMP runtime are gone, and a region waits for them.
    run(*order)


@needs_fork
def test_a_step_goes_on_in_the_child(torch):
    run(
        USE_TORCH,
        """
        p, optimizer = make()
        steps(optimizer, 3)
        child = os.fork()
        steps(optimizer, 2)
        found, (q, twin) = digest(p), make()
        for t in (0, 1, 2, 0, 1):
            twin.step([np.random.default_rng(100 + t).standard_normal(SIZE)])
        right = found == digest(q)
        if child == 0:
            os._exit(0 if right else 3)
        wait(child)
        assert right
        """,
    )


#: calls that write several times, and whether what is found is what came of whole ones
WRITES = {
    "micro-batches": """
        p, gradient = np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)
        optimizer = gradstep.SGD([p], lr=1.0, accumulate=2)
        def call():
            optimizer.step([gradient])
        def is_whole():
            total = optimizer.state[0].get("gradient_sum", np.zeros(1))
            return (total == optimizer.accumulated).all() and (p == p[0]).all()
        """,
    "a norm for the next step": """
        p, gradient = np.zeros(SIZE), np.zeros(SIZE)
        optimizer = gradstep.SGD([p], lr=1.0, clip_norm=1e9, clip_lagged=True)
        def call():
            gradient[...] += 1
            optimizer.step([gradient])
        def is_whole():
            made = round(optimizer.param_groups[0]["last_norm"] / np.sqrt(SIZE))
            return (p == -made * (made + 1) / 2).all()
        """,
    "rows": """
        rows = [gradstep.Rows(np.array([i]), np.ones((1, SIZE))) for i in (0, 1)]
        held = []
        def call():
            table = np.zeros((2, SIZE))
            optimizer = gradstep.SGD([table], lr=1.0, momentum=0.5, lazy_rows=True)
            held[:] = [(table, optimizer)]
            for given in rows:
                optimizer.step([given])
            optimizer.catch_up()
        def is_whole():
            for table, optimizer in held:
                optimizer.catch_up()
                if tuple(table[:, 0]) not in ((0, 0), (-1, 0), (-1.5, -1)) or (table != table[:, :1]).any():
                    return False
            return True
        """,
    "an average and its product": """
        p, held = np.ones(SIZE), []
        def call():
            average, product = np.zeros(SIZE), np.ones(())
            held[:] = [(average, product)]
            gradstep.functional.average_(average, p, 0.5, product)
        def is_whole():
            return all((average == 2 * (1 - product)).all() for average, product in held)
        """,
}


@needs_fork
@pytest.mark.parametrize("calls", WRITES.values(), ids=WRITES)
def test_a_fork_between_writes_that_belong_together(calls):
    run(
        calls,
        """
        import time
        lock, ended = threading.Lock(), threading.Event()
        def go_on():
            while not ended.is_set():
                call()
        thread = threading.Thread(target=go_on)
        thread.start()
        sys.setswitchinterval(1e-5)
        for i in range(60):
            time.sleep(1e-4 * (i % 7))
            child = os.fork()
            if child == 0:
                os._exit(0 if is_whole() else 3)
            try:
                wait(child)
            except BaseException:
                ended.set()
                raise
        ended.set()
        thread.join()
        """,
    )


@needs_fork
def test_a_fork_while_another_thread_makes_the_states():
    run(
        """
        import gc, signal
        statuses = []
        class Forking:
            calls = 0
            def __init__(self, array):
                self.array = array
            def __dlpack_device__(self):
                return self.array.__dlpack_device__()
            def __dlpack__(self, **options):
                Forking.calls += 1
                if Forking.calls == 2:  # the first found out that there are no states
                    thread = threading.Thread(target=fork)
                    thread.start()
                    thread.join()
                return self.array.__dlpack__()
        def fork():
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # it waited for ever
                optimizer.step([np.ones(3)])
                right = list(optimizer.state[0]) == ["momentum_buffer"] and (p == -1).all() and gc.isenabled()
                os._exit(0 if right else 3)
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        p = np.zeros(3)
        optimizer = gradstep.SGD([p], lr=1.0, momentum=0.5)
        optimizer.step([Forking(np.ones(3))])
        assert statuses == [0], statuses
        assert (p == -1).all()
        """
    )


@needs_fork
@pytest.mark.parametrize("before", ["", USE_TORCH], ids=["without torch", "with torch"])
def test_processes_of_multiprocessing(before):
    if before:
        pytest.importorskip("torch")
    run(
        before,
        """
        import multiprocessing
        def is_right(_):
            return result() == expected
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(is_right, range(4)) == [True] * 4
        """,
    )


@pytest.mark.parametrize("before", ["", USE_TORCH], ids=["without torch", "with torch"])
def test_optimizers_in_several_threads(before):
    if before:
        pytest.importorskip("torch")
    run(
        before,
        """
        alone = [result(seed, 20) for seed in range(4)]
        made = [make(seed) for seed in range(4)]
        threads = [threading.Thread(target=steps, args=(optimizer, 20)) for _, optimizer in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [digest(p) for p, _ in made] == alone
        """,
    )


def test_one_optimizer_in_several_threads_never_mixes_steps():
    # Each step is made whole, or refused as a whole with a clear error.
    run(
        """
        p, optimizer = make()
        gradient = np.random.default_rng(100).standard_normal(SIZE)
        made, refused = [], []
        def go():
            for _ in range(50):
                try:
                    optimizer.step([gradient])
                    made.append(1)
                except RuntimeError as error:
                    assert "already stepping in another thread" in str(error)
                    refused.append(1)
        threads = [threading.Thread(target=go) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) + len(refused) == 150
        assert optimizer.state[0]["step"] == len(made)
        q, twin = make()
        for _ in made:
            twin.step([gradient])
        assert digest(p) == digest(q)
        """
    )


def test_the_interpreter_lock_is_released():
    # A closure of another thread runs while a large step does.
    run(
        """
        p = np.zeros(1 << 24, np.float32)
        optimizer = gradstep.Adam([p])
        gradient = np.ones_like(p)
        optimizer.step([gradient])
        stepping, seen = True, []
        def watch():
            import time
            while stepping:
                seen.append(time.perf_counter())
                time.sleep(0.001)
        sys.setswitchinterval(1000)
        watcher = threading.Thread(target=watch)
        watcher.start()
        import time
        time.sleep(0.01)
        start = time.perf_counter()
        for _ in range(3):
            optimizer.step([gradient])
        end = time.perf_counter()
        stepping = False
        watcher.join()
        assert sum(start < at < end for at in seen) >= 3, len(seen)
        """
    )


@pytest.mark.parametrize("before", ["", "import gradstep"])
def test_a_subinterpreter_is_refused(before):
    """In words, where the core would wait for ever; the process goes on."""
    program = f"""
        import sys
        {before}
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        lines = [
            "import sys",
            f"sys.path[:] = {{sys.path!r}}",
            "try: import gradstep",
            "except ImportError as error: print(error, flush=True)",
        ]
        interpreters.run_string(interpreters.create(), chr(10).join(lines))
        import gradstep
        print(gradstep.Constant(0.5)(0))
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)  # it hung
    assert done.returncode == 0, done.stderr
    refused, *rest = done.stdout.splitlines()
    assert refused.startswith("gradstep can't be imported in a subinterpreter, and neither can NumPy beside the main")
    assert rest == ["0.5"]


def test_exit_while_a_thread_is_stepping():
    run(
        """
        import time
        class Lingering:  # so that the thread asks for the GIL of an interpreter that has ended
            def __del__(self, sleep=time.sleep):
                sleep(0.05)
        sys.modules["lingering"] = Lingering()
        gradient = np.ones(SIZE)
        def step_for_ever(optimizer):
            while True:
                optimizer.step([gradient])
        threading.Thread(target=step_for_ever, args=(make()[1],), daemon=True).start()
        time.sleep(0.01)
        sys.exit(0)
        """
    )


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "2", 1025, 10**6, 10**400])
def test_thread_counts_that_can_not_be(given):
    with pytest.raises(ValueError, match=r"threads is .*: pass a whole number from 1 to 1024, or None"):
        gradstep.set_num_threads(given)


def test_what_the_number_of_threads_follows(torch, monkeypatch):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert gradstep.get_num_threads() == 3
        gradstep.set_num_threads(2)
        assert gradstep.get_num_threads() == 2
        gradstep.set_num_threads(None)
        assert gradstep.get_num_threads() == 3
        monkeypatch.setattr(torch, "get_num_threads", lambda: 10**6)
        assert gradstep.get_num_threads() == 1024
        monkeypatch.undo()
    finally:
        torch.set_num_threads(before)
    monkeypatch.delitem(sys.modules, "torch")
    for setting, expected in (
        ("5", 5),
        ("4,2", 4),
        ("x", None),
        ("0", None),
        ("²", None),
        ("1000000", 1024),
        ("9" * 5000, None),
    ):
        monkeypatch.setenv("OMP_NUM_THREADS", setting)
        assert gradstep.get_num_threads() == (expected or gradstep._core.hardware_threads())
