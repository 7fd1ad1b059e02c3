"""The commands `gradstep demo`, `gradstep plot`, `gradstep bench` and `gradstep info`."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

import gradstep
from gradstep.cli.bandwidth import memory_bandwidth
from gradstep.cli.targets import check_file, check_folder
from gradstep.interop.near_names import did_you_mean

Device = Literal["cpu", "cuda"]

ALL = "all"  # every example, one after the other

ABOUT = "Optimizers and learning-rate schedules: examples to run, pictures, and what this machine offers."

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=ABOUT)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gradstep {gradstep.__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Take the options that stand before a command; the help is the app's own."""


def _examples(incomplete: str) -> list[str]:
    """The examples that a shell completes."""
    import gradstep_demo

    return [name for name in (*gradstep_demo.DESCRIPTIONS, ALL) if name.startswith(incomplete)]


@app.command()
def demo(
    name: Annotated[str | None, typer.Argument(help="One of --list, or all.", autocompletion=_examples)] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the examples and stop.")] = False,
    data: Annotated[Path | None, typer.Option(help="Keras' mnist.npz; else bundled digits.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs or updates, as the example counts.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights and the data's order.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of gradstep and torch.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the results into this file.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the figure.")] = Path("gradstep-demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Less data and fewer updates: seconds.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Print the example as a plain script and stop.")] = False,
) -> None:
    """Train an example of the documents and compare it, mostly with torch: a table, a figure, JSON."""
    import gradstep_demo  # here, as all of it, because the other commands do without the package and its extras

    console = Console()
    if list_ or (name is None and not source):
        console.print(_two_columns(gradstep_demo.DESCRIPTIONS.items()))
        return
    if name is None or (source and name == ALL):
        raise typer.BadParameter("--source prints one example: name it", param_hint="NAME")
    if name not in gradstep_demo.DESCRIPTIONS and name != ALL:
        raise typer.BadParameter(
            f"there is no {name!r}: {did_you_mean(name, [*gradstep_demo.DESCRIPTIONS, ALL])}"
            f"There are {', '.join(gradstep_demo.DESCRIPTIONS)}, and {ALL}",
            param_hint="NAME",
        )
    if source:
        return _print_source(gradstep_demo.source(name), console)
    from gradstep_demo import running
    from gradstep_demo.data import DataError
    from gradstep_demo.outcome import Options
    from gradstep_demo.report import Report, write_json

    if threads is not None:
        _use(threads)
    check_folder(out, "--out")
    check_file(json, "--json")
    report = Report(console)
    options = Options(data, epochs, seed, quick)
    try:
        every = name == ALL
        results = running.run_all(options, out, report) if every else running.run(name, options, out, report).results
    except DataError as error:
        raise typer.BadParameter(str(error), param_hint="--data") from error
    if json is not None:
        write_json(results, json)
        report.say(f"JSON: {json}")


@app.command()
def plot(
    expressions: Annotated[list[str], typer.Argument(help="Schedules as in Python: 'Linear(1, 0, 90).warmup(9)'.")],
    steps: Annotated[
        int | None, typer.Option(min=1, help="How many updates to draw; else until all have ended.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The picture: .png, .svg, .pdf ...")] = Path("rate.png"),
    log: Annotated[bool, typer.Option("--log", help="Draw the rate on a logarithmic scale.")] = False,
) -> None:
    """Draw learning-rate schedules, several on one sheet."""
    from gradstep.cli import sheet  # here, because matplotlib is slow to import

    check_file(out, "--out")
    try:
        schedules = {text: gradstep.from_expression(text) for text in expressions}
        updates = steps or max((mark.t for each in schedules.values() for mark in each.landmarks()), default=0) or 100
        for schedule in schedules.values():
            typer.echo(schedule.describe(updates))
        sheet.draw(schedules, updates, log, out)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    Console().print(f"Figure: {out}")


@app.command()
def bench(
    case: Annotated[list[str] | None, typer.Option(help="Only this case, with every rule; may be repeated.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule, in every case; may be repeated.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every case and rule: about an hour.")] = False,
    schedules: Annotated[bool, typer.Option("--schedules", help="Schedules, against Python and NumPy.")] = False,
    device: Annotated[Device, typer.Option(help="cuda: AdamW on a CUDA device, against torch's and a copy.")] = "cpu",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads for gradstep and torch.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything measured to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the published tables to this file.")] = None,
    out: Annotated[Path, typer.Option(help="Draw the ratios into this figure.")] = Path("gradstep-bench.png"),
    quick: Annotated[bool, typer.Option("--quick", help="Few rounds: shows that all works, not how fast.")] = False,
) -> None:
    """Check, then time gradstep against torch, NumPy and what else is installed: the published tables, or more.

    The published tables take about five minutes and 8 GB of memory.
    """
    from gradstep_bench.accuracy import CheckFailed  # here, because torch is slow to import
    from gradstep_bench.session import Session, UnknownNameError
    from gradstep_bench.timing import Pace

    if threads is not None:
        _use(threads)
    check_file(json, "--json")
    check_file(markdown, "--markdown")
    check_file(out, "--out")
    session = Session(Pace.quick() if quick else Pace())
    try:
        if schedules:
            return session.schedules()
        if device == "cuda":
            session.cuda(json)
        elif all_ or case or rule:
            session.cases(case, rule)
        else:
            session.published()
    except UnknownNameError as error:
        raise typer.BadParameter(str(error)) from error
    except CheckFailed as failure:
        sys.exit(f"check failed: {failure}")
    session.write(out, markdown, json)
    if session.failures:
        sys.exit("not measured: " + "; ".join(session.failures))


@app.command()
def info() -> None:
    """Show what gradstep found on this machine: CPU targets, threads, memory bandwidth, versions."""
    found = gradstep.info() | {"memory_bandwidth": f"{memory_bandwidth():.1f} GB/s, read and written back"}
    Console().print(_two_columns(_flat(found)))


def _print_source(text: str, console: Console) -> None:
    """In colours on a terminal; elsewhere the text itself, so that `> file.py` writes a script that runs."""
    if console.is_terminal:
        # Colours of the terminal's own, and rows that it breaks itself, so that what is copied from it runs.
        highlighted = Syntax("", "python", theme="ansi_dark").highlight(text)
        console.print(highlighted, soft_wrap=True, end="")
    else:
        typer.echo(text, nl=False)


def _use(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    gradstep.set_num_threads(threads)


def _two_columns(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for key, value in rows:
        table.add_row(key, value)
    return table


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield key.replace("_", " "), _text(value)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
