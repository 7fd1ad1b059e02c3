"""Document 4, section 10.2: a language model, with Adam and a rate that decays with each update."""

import lzma
from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from gradstep_demo import comparison, language
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.next_character import (
    DOCUMENT,
    WINDOW,
    bits_at,
    bits_per_character_of,
    indented,
    reference,
)
from gradstep_demo.outcome import Line, Options, Outcome, Panel
from gradstep_demo.report import Report

TEMPERATURE = 0.5
LENGTH = 400  # characters of a sample

PROGRAM = comparison.Program(
    name="language-model",
    title="Language model, Adam, inverse time decay",
    correction=language.CORRECTION,
    task=lambda options: reference().task(),
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    models = {"before": trainings[0].plan.untrained(), "after": trainings[0].learner.model}
    bits = {when: bits_per_character_of(model, reference().held_out) for when, model in models.items()}
    xz = compressed(reference().corpus.held_out, reference().corpus.train)
    outcome = comparison.tell(PROGRAM, options, trainings).plus(
        notes=[
            f"Held-out text takes {bits['after']:.3f} bits for each character, {bits['before']:.3f} before the "
            f"training. xz, which compresses the training text first, takes {xz:.3f}.",
            *_samples(models),
        ],
        panels=[_by_context(models)],
        results={"bits_per_character": bits, "xz_bits_per_character": xz},
    )
    return replace(outcome, headline=f"{bits['after']:.3f} bits per character, {bits['before']:.3f} before")


def compressed(text: str, known: str) -> float:
    """The bits that xz adds for each character of a text when it has compressed another before it."""
    alone, both = (len(lzma.compress(each.encode())) for each in (known, known + text))
    return 8 * (both - alone) / len(text)


def _samples(models: dict[str, nn.Module]) -> Iterator[str]:
    for when, model in models.items():
        (text,) = reference().sample(model, "\n\n", LENGTH, TEMPERATURE)
        yield f"Written {when} the training, at temperature {TEMPERATURE}:\n{indented(text)}"


def _by_context(models: dict[str, nn.Module]) -> Panel:
    """What it brings to know more of the text: the first character of a window is guessed from one before it."""
    windows = reference().alphabet.encode(reference().corpus.held_out).unfold(0, WINDOW + 1, WINDOW // 5)
    known = range(1, WINDOW + 1)
    lines = [Line(when, "gradstep", known, bits_at(model, windows).tolist()) for when, model in models.items()]
    return Panel("Bits for a character, held-out text", lines, log="x", floor=0, across="characters known before it")
