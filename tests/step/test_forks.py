"""Stepping after fork(). Each program is a process, so a hang or crash is its own."""

import textwrap

import pytest

from support.programs import USE_TORCH, needs_fork, run

FORK = """
    child = os.fork()
    if child == 0:
        os._exit(0 if result() == expected else 3)
    wait(child)
    assert result() == expected
"""


@needs_fork
def test_fork_without_torch():
    run(FORK, "assert 'torch' not in sys.modules")


@needs_fork
def test_fork_of_a_fork():
    within = textwrap.indent(textwrap.dedent(FORK) + "os._exit(0)", "    ")
    run(FORK, "child = os.fork()", "if child == 0:\n" + within, "wait(child)")


@needs_fork
@pytest.mark.parametrize("order", [[FORK, USE_TORCH, FORK], [USE_TORCH, FORK], ["import torch", FORK]])
def test_fork_around_torch(order):
    pytest.importorskip("torch")
    # Trap: after fork() the threads of the parent's OpenMP runtime are gone, and a region waits for them.
    run(*order)


@needs_fork
def test_a_step_goes_on_in_the_child():
    pytest.importorskip("torch")
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


#: calls that write several times, and whether the result is that of complete calls
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
