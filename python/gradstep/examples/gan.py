"""Document 4, sections 5.3 and 7.3: a generative adversarial network, each half with its own decaying rate."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gradstep import InverseTimeDecay
from gradstep.examples import comparison, data
from gradstep.examples.adversaries import GAN
from gradstep.examples.classification import pixels
from gradstep.examples.contenders import GRADSTEP, Library
from gradstep.examples.learner import Learner
from gradstep.examples.outcome import Options, Outcome, Picture
from gradstep.examples.panels import losses, rates
from gradstep.examples.report import Report
from gradstep.examples.settings import Settings, Updates
from gradstep.examples.task import Metric, Plan, Task
from gradstep.examples.training import Training

GENERATOR_RATE = InverseTimeDecay(2e-4, 1e-4)
DISCRIMINATOR_RATE = InverseTimeDecay(5e-5, 1e-4)
REAL = 0.9  # what the discriminator shall say of a real digit: not 1, so that it is never too sure
NEAREST = Metric("nearest digit")
RAREST = Metric("rarest kind", ".1%", best=max)
MEASURED = 500  # digits
GRID = 8  # rows and columns of the picture


class Adversaries(Learner):
    """An update of the discriminator on real and made digits, then one of the generator against it."""

    def __init__(self, plan: Plan, library: Library) -> None:
        self.model: GAN = plan.task.build()  # type: ignore[assignment]
        slower = replace(plan.settings, rate=lambda _: DISCRIMINATOR_RATE)
        self.generator = library.optimizer(plan.settings, self.model.generator, plan.span)
        self.discriminator = library.optimizer(slower, self.model.discriminator, plan.span)
        self.optimizers = {"generator": self.generator, "discriminator": self.discriminator}

    def update(self, batch: Sequence[Tensor]) -> dict[str, float]:
        (real,) = batch
        made = self.model.made(len(real))
        deceived = self.verdict(real, REAL) + self.verdict(made.detach(), 0.0)
        deceived.backward()  # type: ignore[no-untyped-call]
        self.discriminator.update()
        detected = self.verdict(made, 1.0)
        detected.backward()  # type: ignore[no-untyped-call]
        self.generator.update()
        self.discriminator.optimizer.zero_grad()  # of what the generator's loss left there
        return {"generator": float(detected.detach()), "discriminator": float(deceived.detach())}

    def verdict(self, digits: Tensor, wanted: float) -> Tensor:
        """The loss of a discriminator that shall find these digits real with this probability."""
        logits = self.model.discriminator(digits)
        return binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


def digits(options: Options) -> Task:
    found = data.load(options.data)
    images, labels = signed(found.x_train), torch.from_numpy(found.y_train)
    return Task(
        data=found.name,
        train=(images,),
        build=GAN,
        loss=binary_cross_entropy_with_logits,
        measure=lambda model: compare(same(model, MEASURED), images, labels),
        metrics=(NEAREST, RAREST),
        loss_name="Binary cross entropy",
        facts={"train_digits": len(images), "held_out_digits": compare(signed(found.x_test), images, labels)},
    )


def signed(values: data.Array) -> Tensor:
    """Pixels from -1 (white) to 1 (black)."""
    return 2 * pixels(values) - 1


def same(model: Any, count: int) -> Tensor:
    """So many digits that the model makes of the same noise each time."""
    digits: Tensor = model.made(count, torch.Generator().manual_seed(0))
    return digits


def compare(digits: Tensor, images: Tensor, labels: Tensor) -> dict[str, float]:
    """How far digits are from the nearest image, and how often it has the label that is the rarest there.

    The distance of two images is the root mean square of their pixels' differences, white to black being 1.
    """
    distances, places = torch.cdist(digits.flatten(1), images.flatten(1)).min(dim=1)
    distance = distances.mean() / (2 * digits[0].numel() ** 0.5)
    kinds = labels[places].bincount(minlength=10)
    return {NEAREST.name: float(distance), RAREST.name: float(kinds.min()) / len(digits)}


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
    correction="the decay is by iteration, of which there are 10000; section 5.3 takes it by epoch, of which it has "
    "100, and would end 1 % lower. `num_d Steps` is no name: the two take turns.",
    task=digits,
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    outcome = comparison.tell(PROGRAM, options, trainings)
    return replace(outcome, panels=[*_pictures(trainings[0]), losses(trainings), rates(trainings)]).plus(
        notes=list(_notes(trainings[0]))
    )


def _pictures(training: Training) -> list[Picture]:
    model = training.learner.model
    digits = (same(model, GRID * GRID).detach() + 1) / 2
    return [Picture(f"Made after {training.plan.span.updates:,} updates", digits.view(GRID, GRID, 28, 28).numpy())]


def _notes(training: Training) -> Iterator[str]:
    start = training.plan.task.measure(training.plan.untrained())
    real: Any = training.plan.task.facts["held_out_digits"]
    last = training.laps[-1].test
    yield (
        f"A made digit is {last[NEAREST.name]:.3f} from the nearest that was trained on "
        f"({start[NEAREST.name]:.3f} before training), a real one that was not trained on {real[NEAREST.name]:.3f}."
    )
    yield (
        f"By that nearest digit, the rarest of the ten kinds is {last[RAREST.name]:.1%} of {MEASURED}: "
        "a generator that makes only some kinds leaves one at 0 %."
    )
    yield (
        "Added: batch normalisation in the generator, Adam's first beta at 0.5, and 0.9 as what the discriminator "
        "shall say of a real digit. Without them the two do not stay in balance."
    )
