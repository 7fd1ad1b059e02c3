"""Stepping in several threads. Each program is a process, so a hang or crash is its own."""

import subprocess
import sys
import textwrap

import pytest

import gradstep
from support.programs import USE_TORCH, run


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
    # Each step is made completely, or refused with a clear error.
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
    """An error where the core would otherwise wait for ever; the process continues."""
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
    assert refused.startswith("gradstep can't be imported in a subinterpreter, and NumPy only in one interpreter of")
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


def test_what_the_number_of_threads_follows(monkeypatch):
    torch = pytest.importorskip("torch")
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
