"""Run one example or all of them, and show what came out."""

from pathlib import Path
from time import perf_counter

import gradstep_demo
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.report import Report


def run_all(options: Options, out: Path, report: Report) -> dict[str, object]:
    """Run every example, end with a line of each, and return their results by name."""
    rows: list[dict[str, str]] = []
    results: dict[str, object] = {}
    for name in gradstep_demo.DESCRIPTIONS:
        start = perf_counter()
        outcome = run(name, options, out, report)
        rows.append({"example": name, "result": outcome.headline, "seconds": f"{perf_counter() - start:.1f}"})
        results[name] = outcome.results
    report.table(rows)
    return results


def run(name: str, options: Options, out: Path, report: Report) -> Outcome:
    """Run one example, show what came out, and draw it into the folder `out`."""
    outcome = gradstep_demo.load(name).run(options, report)
    report.summarise(outcome)
    # Here, because matplotlib takes longest to import of all, and the training need not wait for it.
    from gradstep_demo import figure

    picture = out / f"{name}.png"
    figure.draw(outcome, picture)
    report.say(f"Figure: {picture}")
    return outcome
