"""Train a model under each settings with each library, and tell what came out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

import torch

from gradstep_demo.contenders import GRADSTEP, TORCH, Library
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.panels import panels
from gradstep_demo.report import Report
from gradstep_demo.settings import Settings
from gradstep_demo.task import Plan, Task
from gradstep_demo.training import Lap, Training, warm_up

LINES = 10  # that tell of a training while it runs, at most


@dataclass(frozen=True)
class Program:
    """A document's program: its task, the settings to train it with, and what had to be corrected."""

    name: str
    title: str
    correction: str
    task: Callable[[Options], Task]
    settings: Sequence[Settings]
    libraries: Sequence[Library] = (GRADSTEP, TORCH)
    seeds: int = 1  # so many trainings of each, from the user's seed on


def run(program: Program, options: Options, report: Report) -> Outcome:
    return tell(program, options, train(program, options, report))


def train(program: Program, options: Options, report: Report) -> list[Training]:
    """One training for each settings, seed and library, the libraries side by side."""
    report.say(f"Corrected: {program.correction}")
    task = program.task(options)
    seeds = range(options.seed, options.seed + program.seeds)
    plans = [Plan(task, settings.adapted(options), seed) for settings in program.settings for seed in seeds]
    return [training for plan in plans for training in _compete(plan, program.libraries, report)]


def tell(program: Program, options: Options, trainings: Sequence[Training]) -> Outcome:
    task = trainings[0].plan.task
    metric, best = task.metrics[0], _best(trainings)
    results = {
        "name": program.name,
        "data": task.data,
        **task.facts,
        "seed": options.seed,
        "threads": torch.get_num_threads(),
        "quick": options.quick,
        "correction": program.correction,
        **totals(best),
        "runs": [_record(t) for t in trainings],
    }
    return Outcome(
        f"{program.title}, {task.data}",
        headline=f"{metric.name} {best.laps[-1].test[metric.name]:{metric.format}}",
        rows=list(map(_row, trainings)),
        notes=list(_notes(trainings, len(program.libraries))),
        results=results,
        panels=panels(trainings),
    )


def totals(training: Training) -> dict[str, float]:
    """What the last lap ended with, and the seconds of all."""
    laps = training.laps
    return {
        **_numbers(laps[-1]),
        "seconds": sum(lap.seconds for lap in laps),
        "step_seconds": sum(lap.step_seconds for lap in laps),
    }


def _numbers(lap: Lap) -> dict[str, float]:
    """Under the names that they have in JSON."""
    train = {f"train {name}": loss for name, loss in lap.train.items()}
    losses = {name.replace(" ", "_"): value for name, value in (train | dict(lap.test)).items()}
    return {**losses, "seconds": lap.seconds, "step_seconds": lap.step_seconds}


def _compete(plan: Plan, libraries: Sequence[Library], report: Report) -> list[Training]:
    for library in libraries:
        warm_up(plan, library)
    trainings = [Training(plan, library) for library in libraries]
    every = -(-len(plan.laps) // LINES)
    with report.progress(plan.settings.name, len(trainings) * plan.span.updates) as advance:
        for number in range(len(plan.laps)):
            # Whoever goes first changes, so that neither always meets the other's caches and clock rate.
            for training in trainings if number % 2 == 0 else reversed(trainings):
                line = _lap_line(training, training.lap(advance))
                if (len(plan.laps) - 1 - number) % every == 0:
                    report.say(line)
    return trainings


def _lap_line(training: Training, lap: Lap) -> str:
    plan = training.plan
    losses = "  ".join(f"{name} {loss:.4f}" for name, loss in lap.train.items())
    metrics = "  ".join(f"{m.name} {lap.test[m.name]:{m.format}}" for m in plan.task.metrics)
    width = len(str(plan.span.updates))
    done = f"{lap.updates:{width}}/{plan.span.updates}"
    return f"{plan.settings.name:9} {done} {training.library:8} {losses}  {metrics}"


def _best(trainings: Sequence[Training]) -> Training:
    """The best of gradstep's own."""
    metric = trainings[0].plan.task.metrics[0]
    ours = (t for t in trainings if t.library == GRADSTEP.name)
    best: Training = metric.best(ours, key=lambda t: t.laps[-1].test[metric.name])
    return best


def _record(training: Training) -> dict[str, object]:
    plan, curve = training.plan, training.curve
    return {
        "library": training.library,
        "settings": {"name": plan.settings.name, **plan.settings.describe(plan.span)},
        **totals(training),
        "updates": plan.span.updates,
        "laps": [{"updates": lap.updates, **_numbers(lap)} for lap in training.laps],
        "curve": {"updates": curve.updates, **curve.losses, **curve.rates},
    }


def _row(training: Training) -> dict[str, str]:
    last, spent = training.laps[-1], totals(training)
    metrics = training.plan.task.metrics
    return {
        "settings": training.plan.settings.name,
        "library": training.library,
        **{f"train\n{name}": f"{loss:.4f}" for name, loss in last.train.items()},
        **{m.name.replace(" ", "\n", 1): f"{last.test[m.name]:{m.format}}" for m in metrics},
        "highest\nrate": f"{training.curve.highest:.3g}",
        "seconds": f"{spent['seconds']:.2f}",
        "time\nin step": f"{spent['step_seconds'] / spent['seconds']:.1%}",
    }


def _notes(trainings: Sequence[Training], libraries: int) -> Iterator[str]:
    for first in range(0, len(trainings), libraries):
        group = trainings[first : first + libraries]
        times = ", ".join(f"{t.library} {_microseconds(t):.0f} us" for t in group)
        yield f"{_settings_line(group[0].plan)}. {_apart(group)}An update takes: {times}."
    for objective in {t.plan.settings.objective: None for t in trainings if t.plan.settings.objective}:
        yield f"Losses are {trainings[0].plan.task.loss_name.lower()} also where {objective} is minimised."


def _apart(group: Sequence[Training]) -> str:
    metric = group[0].plan.task.metrics[0]
    values = [training.laps[-1].test[metric.name] for training in group]
    if len(values) == 1:
        return ""
    return f"{metric.name.capitalize()} differs by {metric.difference(max(values), min(values))}. "


def _settings_line(plan: Plan) -> str:
    listed = plan.settings.describe(plan.span)
    optimizer = listed.pop("optimizer")
    values = ", ".join(f"{key} {shorten(str(value), 100, placeholder=' ...')}" for key, value in listed.items())
    return f"{plan.settings.name}: {optimizer}, {values}"


def _microseconds(training: Training) -> float:
    return 1e6 * totals(training)["step_seconds"] / training.plan.span.updates
