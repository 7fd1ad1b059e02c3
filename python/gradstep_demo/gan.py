"""Document 4, sections 5.3 and 7.3: a generative adversarial network, each half with its own decaying rate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gradstep import InverseTimeDecay
from gradstep_demo import comparison, data
from gradstep_demo.adversaries import GAN, KINDS
from gradstep_demo.classification import pixels
from gradstep_demo.contenders import GRADSTEP, Library
from gradstep_demo.learner import Learner
from gradstep_demo.outcome import Line, Options, Outcome, Panel, Picture
from gradstep_demo.panels import measured, rates
from gradstep_demo.report import Report
from gradstep_demo.settings import Settings, Updates
from gradstep_demo.task import Metric, Plan, Task
from gradstep_demo.training import Training

GENERATOR_RATE = InverseTimeDecay(2e-4, rate=1e-4)
DISCRIMINATOR_RATE = InverseTimeDecay(5e-5, rate=1e-4)
REAL = 0.9  # what the discriminator shall say of a real digit: not 1, so that it is never too sure
RIGHT = Metric("right kind", ".1%", best=max)
NEAREST = Metric("nearest digit", ".3f")
VARIETY = Metric("variety", ".3f", best=max)
EACH = 50  # digits of each kind are measured
HELD_OUT = 1000  # real digits, about, to compare them with
ROWS = 8  # of the picture


class Adversaries(Learner):
    """An update of the discriminator on real and made digits, then one of the generator against it."""

    def __init__(self, plan: Plan, library: Library) -> None:
        self.model: GAN = plan.task.build()  # type: ignore[assignment]
        slower = replace(plan.settings, rate=lambda _: DISCRIMINATOR_RATE)
        self.generator = library.optimizer(plan.settings, self.model.generator, plan.span)
        self.discriminator = library.optimizer(slower, self.model.discriminator, plan.span)
        self.optimizers = {"generator": self.generator, "discriminator": self.discriminator}
        self.chance = torch.Generator().manual_seed(plan.seed)

    def update(self, batch: Sequence[Tensor]) -> dict[str, float]:
        real, kinds = batch
        made = self.model.make(kinds, self.chance)
        deceived = self.verdict(real, kinds, REAL) + self.verdict(made.detach(), kinds, 0.0)
        deceived.backward()  # type: ignore[no-untyped-call]
        self.discriminator.update()
        detected = self.verdict(made, kinds, 1.0)
        detected.backward()  # type: ignore[no-untyped-call]
        self.generator.update()
        self.model.average.update_parameters(self.model.generator)
        self.discriminator.optimizer.zero_grad()  # of what the generator's loss left there
        return {"generator": float(detected.detach()), "discriminator": float(deceived.detach())}

    def verdict(self, digits: Tensor, kinds: Tensor, wanted: float) -> Tensor:
        """The loss of a discriminator that shall find these digits real with this probability."""
        logits = self.model.judge(digits, kinds)
        return binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


def digits(options: Options) -> Task:
    found = data.load(options.data)
    images, labels = signed(found.x_train), torch.from_numpy(found.y_train)
    every = slice(None, None, -(-len(found.y_test) // HELD_OUT))
    return Task(
        data=found.name,
        train=(images, labels),
        build=GAN,
        measure=lambda model: compare(*columns(model, EACH), images, labels),
        metrics=(RIGHT, NEAREST, VARIETY),
        loss_name="Binary cross entropy",
        facts={
            "train_digits": len(labels),
            "held_out_digits": compare(
                signed(found.x_test[every]), torch.from_numpy(found.y_test[every]), images, labels
            ),
        },
    )


def signed(values: data.Array) -> Tensor:
    """Pixels from -1 (white) to 1 (black)."""
    return 2 * pixels(values) - 1


@torch.no_grad()
def columns(model: Any, rows: int) -> tuple[Tensor, Tensor]:
    """Rows of a digit of each kind, one below the other, and their kinds: of the same noise each time."""
    kinds = torch.arange(KINDS).repeat(rows)
    return model.make(kinds, torch.Generator().manual_seed(0)), kinds


def compare(digits: Tensor, kinds: Tensor, images: Tensor, labels: Tensor) -> dict[str, float]:
    """The share of digits whose nearest image has their kind as its label, and the mean distance to that image.

    The distance of two images is the root mean square of their pixels' differences, of white and black being 1. The
    variety is the deviation of a pixel over the digits of one kind: 0 where all are alike.
    """
    distances, places = torch.cdist(digits.flatten(1), images.flatten(1)).min(dim=1)
    right = (labels[places] == kinds).float().mean()
    variety = (
        torch.stack([digits[kinds == kind].std(dim=0, correction=0).mean() for kind in torch.unique(kinds)]).mean() / 2
    )
    return {
        RIGHT.name: float(right),
        NEAREST.name: float(distances.mean()) / (2 * digits[0].numel() ** 0.5),
        VARIETY.name: float(variety),
    }


DOCUMENT = Settings(
    "document",
    "Adam",
    rate=lambda _: GENERATOR_RATE,
    batch=32,
    length=Updates(10000, quick=400),
    options={"betas": (0.5, 0.999)},
    learner=Adversaries,
)

PROGRAM = comparison.Program(
    name="gan",
    title="GAN, Adam, a decaying rate for each half",
    correction="the decay counts iterations: 10000 halve the rates, while the 100 epochs of section 5.3 take 1 % off. "
    "`num_d Steps` is no name: the two take turns.",
    task=digits,
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    training, task = trainings[0], trainings[0].plan.task
    before = task.measure(training.plan.untrained())
    outcome = comparison.tell(PROGRAM, options, trainings)
    panels: list[Panel | Picture] = [
        _picture(training),
        _losses(training),
        measured(trainings, RIGHT),
        rates(trainings),
    ]
    return replace(outcome, panels=panels).plus(
        notes=[
            f"The discriminator's rate: {DISCRIMINATOR_RATE!r}.",
            "The training digit that is nearest to a digit tells its kind, and is so far away:",
            _described("made before the training", before),
            _described("made after it", training.laps[-1].test),
            _described("real, but held out", task.facts["held_out_digits"]),
            "Added to the document: both halves are told the kind, batch normalisation, 0.5 as Adam's first beta, "
            f"{REAL} as what the discriminator shall say of a real digit, and an average of the generator.",
        ],
        results={"before": before},
    )


def _described(who: str, values: Any) -> str:
    return (
        f"    {who}: {values[RIGHT.name]:.1%} are of the kind asked for, {values[NEAREST.name]:.3f} away, "
        f"variety {values[VARIETY.name]:.3f}"
    )


def _losses(training: Training) -> Panel:
    """Both in one panel, in the colours that the rates have."""
    curve, setting = training.curve, training.plan.settings.name
    lines = [
        Line(f"{setting} {name}", training.library, curve.updates, values) for name, values in curve.losses.items()
    ]
    return Panel("Binary cross entropy in training", lines)


def _picture(training: Training) -> Picture:
    made, _ = columns(training.learner.model, ROWS)
    images = ((made + 1) / 2).view(ROWS, KINDS, 28, 28)
    return Picture(f"Made after {training.plan.span.updates:,} updates", images.numpy())
