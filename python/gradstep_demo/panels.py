"""The curves of trainings, as panels of a figure."""

from collections.abc import Mapping, Sequence

from gradstep_demo.outcome import Line, Panel
from gradstep_demo.task import Metric
from gradstep_demo.training import Training

DOTS = 25  # of a curve at most
SPREAD = 3  # a rate that changes by more is drawn on a logarithmic scale


def panels(trainings: Sequence[Training]) -> list[Panel]:
    names = trainings[0].curve.losses
    metrics = [m for m in trainings[0].plan.task.metrics if m.name.removeprefix("test ") not in names]
    return [
        *(losses(trainings, name) for name in names),
        *(measured(trainings, metric) for metric in metrics),
        rates(trainings),
    ]


def losses(trainings: Sequence[Training], name: str) -> Panel:
    task = trainings[0].plan.task
    title = task.loss_name if name == "loss" else f"{task.loss_name}, {name}"
    lines = [Line(t.plan.settings.name, t.library, t.curve.updates, t.curve.losses[name]) for t in trainings]
    if any(metric.name == f"test {name}" for metric in task.metrics):
        title += ": training (line), test (dots)"
        lines += [_dots(training, f"test {name}") for training in trainings]
    else:
        title += " in training"
    return Panel(title, lines, log="y" if _lowest(lines) > 0 else "")


def rates(trainings: Sequence[Training]) -> Panel:
    lines = [
        Line(_setting(t, name, t.curve.rates), t.library, t.curve.updates, values)
        for t in trainings
        for name, values in t.curve.rates.items()
    ]
    lowest, highest = _lowest(lines), max(max(line.y) for line in lines)
    floor = min(max(line.y) for line in lines) / 100  # below it are only the ends of decays
    return Panel(
        "Learning rate",
        lines,
        log="y" if highest > SPREAD * lowest else "",
        floor=floor if lowest < floor else None,
    )


def measured(trainings: Sequence[Training], metric: Metric) -> Panel:
    title = metric.name.capitalize() + (" in %" if metric.percent else "")
    scale = 100 if metric.percent else 1
    return Panel(title, [_dots(training, metric.name, scale) for training in trainings])


def _dots(training: Training, name: str, scale: float = 1) -> Line:
    laps = training.laps[:: -len(training.laps) // DOTS][::-1]  # the last of all is among them
    values = [scale * lap.test[name] for lap in laps]
    return Line(training.plan.settings.name, training.library, [lap.updates for lap in laps], values, marker="o")


def _setting(training: Training, name: str, curves: Mapping[str, Sequence[float]]) -> str:
    """Settings share a colour; where one training has several curves, each has its own."""
    setting = training.plan.settings.name
    return setting if len(curves) == 1 else f"{setting} {name}"


def _lowest(lines: Sequence[Line]) -> float:
    return min(min(line.y) for line in lines)
