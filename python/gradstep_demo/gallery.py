"""The pictures of the README. `python -m gradstep_demo.gallery .github/gallery` draws them anew."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

import gradstep_demo
from gradstep import LRFinder, from_expression, optim
from gradstep.cli.style import COLOURS, STYLE
from gradstep.schedules.plot import draw as draw_lines
from gradstep_demo import figure
from gradstep_demo.classification import digits
from gradstep_demo.mnist_mlp import MLP
from gradstep_demo.outcome import Options
from gradstep_demo.report import Report

LEAVES = (
    "Constant(1)",
    "Linear(1, 0, 100)",
    "PolynomialDecay(1, 100, power=2)",
    "ExponentialDecay(1, 0.97)",
    "NaturalExpDecay(1, rate=0.5, steps=10, staircase=True)",
    "InverseTimeDecay(1, rate=0.1)",
    "InverseSqrtDecay(1, timescale=2)",
    "PowerLaw(1, timescale=20, power=-2)",
    "Noam(25, warmup=16, scale=20)",
    "CosineDecay(1, 100)",
    "CosineRestarts(1, 20, mult=1.5, decay=0.8)",
    "LinearCosine(1, 100, cycles=3.5)",
    "REX(1, 100)",
    "TanhDecay(1, 100)",
    "Sigmoid(1, rate=-0.1, center=50)",
    "StepDecay(1, 25, rate=0.5)",
    "MultiStep(1, [30, 60, 90], rate=0.3)",
    "Piecewise([30, 60], [0.5, 1, 0.2])",
    "PiecewiseLinear([(0, 0), (20, 1), (60, 0.8), (100, 0)])",
    "Table([0.2, 1, 0.4, 0.7], past='repeat').stretch(10)",
    "Periodic(0.4, [(9, 0.7), (25, 1)])",
    "Cyclic(0.1, 1, up=10, down=20, mode='triangular2')",
    "OneCycle(1, 100)",
    "WSD(1, warmup=15, stable=50, decay=35, decay_kind='1-sqrt')",
    "Uniform(0.2, 1, seed=0)",
    "LogUniform(0.01, 1, seed=0)",
)
"""A function of one's own makes a `Table`; all others are here."""

COMBINED = (
    "CosineDecay(1, 80).warmup(20)",
    "CosineDecay(1, 100).warmup(40, mode='overlay')",
    "CosineDecay(1, 100).warmup(40, mode='scale')",
    "Constant(1).warmup(80, kind='power', power=2)",
    "Constant(1).warmup(80, kind='cosine')",
    "Constant(1).warmup(80, kind='log')",
    "Constant(1).warmup(20, kind='exponential', mode='scale')",
    "Linear(1, 0.6, 50).then(CosineDecay(0.4, 50), at=50)",
    "join([0.3, 1, REX(0.6, 50)], [20, 50])",
    "stages([(30, 1), (40, 0.5)], last=0.1)",
    "REX(1, 25).repeat(25)",
    "REX(1, 25, past='mirror')",
    "CosineDecay(1, 60).shift(30)",
    "Linear(1, 0, 10).stretch(10, staircase=True)",
    "Piecewise([20], [0.2, 1]).smooth(0.9, 100)",
    "CosineDecay(1, 100) * Cyclic(0.5, 1, up=5)",
    "ExponentialDecay(1, 0.97).clip(0.2, 0.8)",
    "maximum(REX(1, 100), Linear(0, 1, 100))",
    "minimum(Linear(0, 2, 100), REX(1, 100))",
    "CosineRestarts(1, 25) * Linear(1, 0, 100)",
    "-Linear(-1, 0, 100)",
    "1 - 0.9 * Linear(1, 0, 100) ** 4",
    "1 / (1 + Linear(0, 9, 100))",
    "tied(CosineDecay(1, 100), lo=0.85, hi=0.95, steps=100, invert=True)",
)
STEPS = 101
WIDTH = 9.0
"""Inches of a sheet of schedules."""
PIXELS = 1080
"""Across a picture at most: a README shows about 900."""
SHADES = 48
"""Colours of a picture, with those between lines and ground."""
SMALL = {"font.size": 8, "axes.titlesize": 7, "axes.titlepad": 4, "lines.color": COLOURS[0]}

Drawing = Callable[[Path, Options], None]


def multiples(expressions: Sequence[str], across: int, letters: int) -> Drawing:
    """A sheet of small panels with a schedule each, under its expression in lines of so many letters."""

    def draw(path: Path, _: Options) -> None:
        rows = -(-len(expressions) // across)
        with rc_context(STYLE | SMALL):
            sheet = Figure(figsize=(WIDTH, 1.3 * rows), layout="constrained")
            FigureCanvasAgg(sheet)  # no window and no global state of pyplot
            for number, expression in enumerate(expressions, start=1):
                axes = sheet.add_subplot(rows, across, number)
                draw_lines(axes, {expression: from_expression(expression)}, STEPS)
                axes.set_title(textwrap.fill(expression, letters), family="monospace")
                axes.set(xlabel="", xticks=[0, 50, 100], ylim=(-0.05, 1.08), yticks=[0, 0.5, 1])
                axes.label_outer()
            sheet.savefig(path, dpi=PIXELS / WIDTH)

    return draw


def range_test(path: Path, options: Options) -> None:
    """The learning-rate range test of a perceptron on MNIST."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from gradstep.lr_finder.torch import range_test as test

    task = digits(options, MLP)
    torch.manual_seed(options.seed)
    model = task.build()
    loader = DataLoader(TensorDataset(*task.train), batch_size=64, shuffle=True)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    assert task.loss is not None
    finder = test(model, optimizer, task.loss, loader, finder=LRFinder(1e-4, 10, updates=150))
    with rc_context(STYLE):
        sheet = Figure(figsize=(WIDTH, 4), layout="constrained")
        FigureCanvasAgg(sheet)
        axes = finder.plot(sheet.subplots())
        axes.set_title("Range test of SGD with momentum, a perceptron on MNIST")
        sheet.savefig(path, dpi=PIXELS / WIDTH)


def example(name: str, panels: slice) -> Drawing:
    """Some panels of an example's figure, in which a README's width has no place for more."""

    def draw(path: Path, options: Options) -> None:
        outcome = gradstep_demo.load(name).run(options, Report(Console()))
        figure.draw(replace(outcome, panels=outcome.panels[panels]), path)

    return draw


PICTURES: Mapping[str, Drawing] = {
    "schedules": multiples(LEAVES, across=4, letters=34),
    "combined": multiples(COMBINED, across=3, letters=46),
    "range-test": range_test,
    "rate-strategies": example("rate-strategies", slice(0, None, 2)),
}


def shrink(path: Path) -> None:
    """Fewer pixels and colours, so that the repository stays small."""
    with Image.open(path) as picture:
        picture.thumbnail((PIXELS, 10 * PIXELS))
        # The octree keeps the colours of thin lines apart, which the other methods blend.
        picture.convert("RGB").quantize(SHADES, Image.Quantize.FASTOCTREE).save(path, optimize=True)


def main(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")],
    quick: Annotated[bool, typer.Option("--quick", help="Less data, fewer updates: seconds.")] = False,
) -> None:
    """Draw the pictures of the README."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        path = folder / f"{name}.png"
        draw(path, Options(quick=quick))
        shrink(path)
        Console().print(f"Figure: {path}")


if __name__ == "__main__":
    typer.run(main)
