"""Document 2, sections 5.2 to 5.4: a line through five points by gradient descent, on NumPy arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

import gradstep
from gradstep_demo.outcome import Line, Options, Outcome, Panel
from gradstep_demo.report import Report

Vector = NDArray[np.float64]
Step = Callable[[Vector, Vector], object]

CORRECTION = (
    "with e = w*x+b-y, the gradient is the mean of 2*e*x and of 2*e; the document's lacks x, b and w*x, "
    "and its rate of 0.1 diverges on these points (as any above 0.0845), so it is 0.05."
)
LEARNING_RATE = 0.05
ITERATIONS = 2000
SOLUTION = {"w = 0.6": 0.6, "b = 2.2": 2.2}

x = np.array([1.0, 2, 3, 4, 5])
y = np.array([2.0, 4, 5, 4, 5])


@dataclass
class Descent:
    library: str
    w: Vector
    b: Vector
    loss: list[float] = field(default_factory=list)
    path: list[tuple[float, float]] = field(default_factory=list)
    seconds: float = 0.0
    step_seconds: float = 0.0


def initialize_parameters(seed: int) -> tuple[Vector, Vector]:
    w, b = np.random.default_rng(seed).standard_normal((2, 1))
    return w, b


def compute_loss(w: Vector, b: Vector) -> float:
    return float(np.mean((w * x + b - y) ** 2))


def compute_gradient(w: Vector, b: Vector) -> tuple[Vector, Vector]:
    error = w * x + b - y
    return np.mean(2 * error * x, keepdims=True), np.mean(2 * error, keepdims=True)


def with_gradstep(w: Vector, b: Vector) -> Step:
    optimizer = gradstep.SGD([w, b], lr=LEARNING_RATE)
    return lambda dw, db: optimizer.step([dw, db])


def with_numpy(w: Vector, b: Vector) -> Step:
    def step(dw: Vector, db: Vector) -> None:
        np.subtract(w, LEARNING_RATE * dw, out=w)
        np.subtract(b, LEARNING_RATE * db, out=b)

    return step


def with_torch(w: Vector, b: Vector) -> Step:
    parameters = [torch.from_numpy(w), torch.from_numpy(b)]  # the same memory
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE)

    def step(dw: Vector, db: Vector) -> None:
        for parameter, gradient in zip(parameters, (dw, db), strict=True):
            parameter.grad = torch.from_numpy(gradient)
        optimizer.step()

    return step


LIBRARIES = {"gradstep": with_gradstep, "NumPy": with_numpy, "torch": with_torch}


def gradient_descent(library: str, seed: int, num_iterations: int) -> Descent:
    run = Descent(library, *initialize_parameters(seed))
    step = LIBRARIES[library](run.w, run.b)
    start = perf_counter()
    for _ in range(num_iterations):
        run.loss.append(compute_loss(run.w, run.b))
        run.path.append((run.w.item(), run.b.item()))
        dw, db = compute_gradient(run.w, run.b)
        before = perf_counter()
        step(dw, db)
        run.step_seconds += perf_counter() - before
    run.seconds = perf_counter() - start
    return run


def run(options: Options, report: Report) -> Outcome:
    report.say(f"Corrected: {CORRECTION}")
    iterations = options.epochs or ITERATIONS
    for library in LIBRARIES:
        gradient_descent(library, options.seed, 10)  # imports and caches of the first steps
    runs = [gradient_descent(library, options.seed, iterations) for library in LIBRARIES]
    ours = runs[0]
    apart = max(abs(ours.w - other.w).item() + abs(ours.b - other.b).item() for other in runs[1:])
    results = {
        "name": "linear-regression",
        "data": "five points",
        "seed": options.seed,
        "correction": CORRECTION,
        "test_accuracy": None,
        "test_loss": None,
        **_totals(ours),
        "runs": [{"library": r.library, **_totals(r), "curve": {"loss": r.loss}} for r in runs],
    }
    notes = [f"Right answer: w = 0.6, b = 2.2. The three end within {apart:.1e} of each other."]
    headline = f"w = {ours.w.item():.6f}, b = {ours.b.item():.6f}"
    return Outcome("Linear regression, five points", headline, list(map(_row, runs)), notes, results, _panels(runs))


def _totals(run: Descent) -> dict[str, float]:
    return {
        "w": run.w.item(),
        "b": run.b.item(),
        "loss": compute_loss(run.w, run.b),
        "lr": LEARNING_RATE,
        "iterations": len(run.loss),
        "seconds": run.seconds,
        "step_seconds": run.step_seconds,
    }


def _row(run: Descent) -> dict[str, str]:
    return {
        "library": run.library,
        "w": f"{run.w.item():.9f}",
        "b": f"{run.b.item():.9f}",
        "loss": f"{compute_loss(run.w, run.b):.6f}",
        "rate": f"{LEARNING_RATE:g}",
        "seconds": f"{run.seconds:.3f}",
        "time\nin step": f"{run.step_seconds / run.seconds:.1%}",
    }


def _panels(runs: Sequence[Descent]) -> list[Panel]:
    least = compute_loss(np.array([0.6]), np.array([2.2]))
    updates = range(1, len(runs[0].loss) + 1)
    return [
        Panel(
            "Mean squared error above its minimum",
            [Line("loss", r.library, updates, [loss - least for loss in r.loss]) for r in runs],
            log="y",
            floor=1e-15,  # below it, only rounding is to be seen
        ),
        Panel(
            "The slope w and the intercept b",
            [Line(n, r.library, updates, [p[i] for p in r.path]) for r in runs for i, n in enumerate("wb")],
            log="x",
            goals=SOLUTION,
        ),
    ]
