"""Train a model on MNIST under each settings with each library, and tell what came out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from gradstep.examples import data
from gradstep.examples.contenders import LIBRARIES, Settings
from gradstep.examples.outcome import Line, Options, Outcome, Panel
from gradstep.examples.report import Report
from gradstep.examples.training import Epoch, Task, Tensors, Training, warm_up


@dataclass(frozen=True)
class Program:
    """A document's program: its model, the settings to train it with, and what had to be corrected."""

    name: str
    title: str
    correction: str
    build: Callable[[], nn.Module]
    settings: Sequence[Settings]


def run(program: Program, options: Options, report: Report) -> Outcome:
    report.say(f"Corrected: {program.correction}")
    digits = data.load(options.data)
    if options.quick:
        digits = digits.few()
    tensors = Tensors.of(digits)
    tasks = [Task(program.build, _adapted(s, options), tensors, options.seed) for s in program.settings]
    trainings = [training for task in tasks for training in _compete(task, report)]
    best = max((t for t in trainings if t.library == "gradstep"), key=lambda t: t.epochs[-1].test_accuracy)
    results = {
        "name": program.name,
        "data": digits.name,
        "train_digits": len(digits.y_train),
        "test_digits": len(digits.y_test),
        "seed": options.seed,
        "threads": torch.get_num_threads(),
        "quick": options.quick,
        "correction": program.correction,
        **_totals(best),
        "runs": [_record(t) for t in trainings],
    }
    notes = list(_notes(trainings))
    return Outcome(f"{program.title}, {digits.name}", list(map(_row, trainings)), notes, results, _panels(trainings))


def _adapted(settings: Settings, options: Options) -> Settings:
    epochs = 1 if options.quick else settings.epochs
    return replace(settings, epochs=options.epochs or epochs)


def _compete(task: Task, report: Report) -> list[Training]:
    warm_up(task)
    trainings = [Training(task, library) for library in LIBRARIES]
    with report.progress(task.settings.name, len(trainings) * task.updates) as advance:
        for number in range(task.settings.epochs):
            # Whoever goes first changes, so that neither always meets the other's caches and clock rate.
            for training in trainings if number % 2 == 0 else reversed(trainings):
                report.say(_epoch_line(training, training.epoch(advance)))
    return trainings


def _epoch_line(training: Training, epoch: Epoch) -> str:
    settings = training.task.settings
    return (
        f"{settings.name:9}epoch {len(training.epochs):2}/{settings.epochs}  {training.library:9}"
        f"train {epoch.train_loss:.4f}  test {epoch.test_loss:.4f}  {epoch.test_accuracy:6.2%}"
    )


def _totals(training: Training) -> dict[str, float]:
    last = training.epochs[-1]
    return {
        "test_accuracy": last.test_accuracy,
        "test_loss": last.test_loss,
        "train_loss": last.train_loss,
        "seconds": sum(epoch.seconds for epoch in training.epochs),
        "step_seconds": sum(epoch.step_seconds for epoch in training.epochs),
    }


def _record(training: Training) -> dict[str, object]:
    task, curve = training.task, training.curve
    return {
        "library": training.library,
        "settings": {"name": task.settings.name, **task.settings.describe(task.updates)},
        **_totals(training),
        "updates": task.updates,
        "epochs": [asdict(epoch) for epoch in training.epochs],
        "curve": {"updates": curve.updates, "loss": curve.loss, "rate": curve.rate},
    }


def _row(training: Training) -> dict[str, str]:
    totals = _totals(training)
    return {
        "settings": training.task.settings.name,
        "library": training.library,
        "train\nloss": f"{totals['train_loss']:.4f}",
        "test\nloss": f"{totals['test_loss']:.4f}",
        "test\naccuracy": f"{totals['test_accuracy']:.2%}",
        "highest\nrate": f"{max(training.curve.rate):.3g}",
        "seconds": f"{totals['seconds']:.2f}",
        "time\nin step": f"{totals['step_seconds'] / totals['seconds']:.1%}",
    }


def _notes(trainings: Sequence[Training]) -> Iterator[str]:
    for ours, peer in zip(trainings[::2], trainings[1::2], strict=True):
        points = 100 * abs(ours.epochs[-1].test_accuracy - peer.epochs[-1].test_accuracy)
        yield (
            f"{_settings_line(ours.task)}. Accuracy differs by {points:.2f} points; an update takes "
            f"{_microseconds(ours):.0f} us with gradstep, {_microseconds(peer):.0f} us with torch."
        )
    if any(training.task.settings.label_smoothing for training in trainings):
        yield "Losses are without label smoothing, which raises them while it helps accuracy."


def _settings_line(task: Task) -> str:
    listed = task.settings.describe(task.updates)
    optimizer = listed.pop("optimizer")
    return f"{task.settings.name}: {optimizer}, {', '.join(f'{key} {value}' for key, value in listed.items())}"


def _microseconds(training: Training) -> float:
    return 1e6 * _totals(training)["step_seconds"] / training.task.updates


def _panels(trainings: Sequence[Training]) -> list[Panel]:
    losses, accuracies, rates = [], [], []
    for training in trainings:
        who = (training.task.settings.name, training.library)
        curve, epochs = training.curve, training.epochs
        ends = [epoch.updates for epoch in epochs]
        losses.append(Line(*who, curve.updates, curve.loss))
        losses.append(Line(*who, ends, [epoch.test_loss for epoch in epochs], marker="o"))
        accuracies.append(Line(*who, ends, [100 * epoch.test_accuracy for epoch in epochs], marker="o"))
        rates.append(Line(*who, curve.updates, curve.rate))
    return [
        Panel("Cross entropy: training (line), test (dots)", losses, log="y"),
        Panel("Test accuracy in %", accuracies),
        Panel("Learning rate", rates, log="y", floor=min(max(line.y) for line in rates) / 100),
    ]
