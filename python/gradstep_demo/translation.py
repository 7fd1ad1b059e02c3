"""Document 4, section 10.3: machine translation, with Adam and a rate that decays with each update."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from torch import nn

from gradstep_demo import comparison, language, names
from gradstep_demo.characters import Alphabet
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.edit_distance import character_error_rate, exact_matches
from gradstep_demo.names import Names, Pair
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.report import Report
from gradstep_demo.settings import Updates
from gradstep_demo.task import Metric, Task
from gradstep_demo.translator import END, MARKS, START, Translator, padded, translate, translation_loss

EXACT = Metric("exact matches", ".1%", best=max)
ERRORS = Metric("character errors", ".1%")
SHOWN = 15  # translations


class Translation:
    """Names as rows of numbers, and back."""

    def __init__(self, pairs: Names) -> None:
        every = [*pairs.train, *pairs.held_out]
        self.pairs = pairs
        self.sources = Alphabet(MARKS + "".join(name for name, _ in every))
        self.targets = Alphabet(MARKS + "".join(wanted for _, wanted in every))

    def task(self) -> Task:
        train = self.pairs.train
        return Task(
            data=self.pairs.name,
            train=(
                padded(self.sources, [name + END for name, _ in train]),
                padded(self.targets, [START + wanted for _, wanted in train]),
                padded(self.targets, [wanted + END for _, wanted in train]),
            ),
            build=lambda: Translator(len(self.sources), len(self.targets)),
            loss=translation_loss,
            measure=self.measure,
            metrics=(EXACT, ERRORS),
            loss_name="Cross entropy",
            facts={"train_names": len(train), "held_out_names": len(self.pairs.held_out)},
        )

    def measure(self, model: nn.Module) -> dict[str, float]:
        """How many held-out names are translated as the translators did, and how many characters are wrong."""
        wanted = [wanted for _, wanted in self.pairs.held_out]
        written = self.translate(model, self.pairs.held_out)
        return {EXACT.name: exact_matches(written, wanted), ERRORS.name: character_error_rate(written, wanted)}

    def translate(self, model: Any, pairs: Sequence[Pair]) -> list[str]:
        sources = padded(self.sources, [name + END for name, _ in pairs])
        return translate(model, sources, self.targets, longest=names.LONGEST + 1)


@cache
def translation() -> Translation:
    return Translation(names.load())


# The document makes 100,000 updates; these take minutes on two cores.
DOCUMENT = language.document(batch=64, length=Updates(3000, quick=100))

PROGRAM = comparison.Program(
    name="translation",
    title="Translation, Adam, inverse time decay",
    correction=language.CORRECTION,
    task=lambda options: translation().task(),
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    before = trainings[0].plan.task.measure(trainings[0].plan.untrained())
    notes = [
        f"Before the training: {before[EXACT.name]:.1%} exact matches, {before[ERRORS.name]:.1%} character errors, "
        "of which there are more than characters where the translation is too long.",
        "Names that were held out:",
        *_examples(trainings[0].learner.model),
    ]
    outcome = comparison.tell(PROGRAM, options, trainings).plus(notes=notes, results={"before": before})
    return replace(
        outcome,
        headline=", ".join(f"{trainings[0].laps[-1].test[m.name]:{m.format}} {m.name}" for m in (EXACT, ERRORS)),
    )


def _examples(model: nn.Module) -> Iterator[str]:
    pairs = translation().pairs.held_out
    shown = pairs[:: len(pairs) // SHOWN][:SHOWN]
    for (name, wanted), text in zip(shown, translation().translate(model, shown), strict=True):
        yield f"    {name} -> {text}" + ("" if text == wanted else f" (wanted: {wanted})")
