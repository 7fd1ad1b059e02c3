"""Document 4, section 10.4: text generation, with Adam and a rate that decays with each update."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from torch import nn

from gradstep.examples import comparison
from gradstep.examples.contenders import GRADSTEP
from gradstep.examples.next_character import DOCUMENT, RATE_IS_THE_OPTIMIZERS, indented, reference
from gradstep.examples.outcome import Line, Options, Outcome, Panel
from gradstep.examples.report import Report
from gradstep.examples.task import Metric, Task

KNOWN = Metric("known words", ".1%", best=max)
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
SHOWN = (0.2, 0.6, 1.0)  # of the temperatures, those whose text is printed
PROMPT = "The value of "
LENGTH, COUNT = 300, 20  # characters of a text, and texts


def task(options: Options) -> Task:
    """The next character is what is learned; the texts that come of it are measured as well."""
    plain = reference().task()
    vocabulary = set(words(reference().corpus.train))

    def measure(model: nn.Module) -> dict[str, float]:
        return {KNOWN.name: known(texts(model, temperature=1.0), vocabulary), **plain.measure(model)}

    return replace(plain, measure=measure, metrics=(KNOWN, *plain.metrics))


def texts(model: nn.Module, temperature: float) -> list[str]:
    return reference().sample(model, PROMPT, LENGTH, temperature, COUNT)


def words(text: str) -> list[str]:
    return re.findall("[A-Za-z]{3,}", text)


def known(texts: Sequence[str], vocabulary: Collection[str]) -> float:
    """The share of the texts' words that the vocabulary has."""
    written = [word for text in texts for word in words(text)]
    return sum(word in vocabulary for word in written) / max(1, len(written))


def different(texts: Sequence[str]) -> float:
    """The share of different words: low where a text repeats itself."""
    return sum(len(set(words(text))) for text in texts) / max(1, sum(len(words(text)) for text in texts))


def longest_copy(text: str, source: str) -> int:
    """The length of the longest stretch of a text that stands in the source as well."""
    longest = 0
    for start in range(len(text)):
        while start + longest < len(text) and text[start : start + longest + 1] in source:
            longest += 1
    return longest


PROGRAM = comparison.Program(
    name="text-generation",
    title="Text generation, Adam, inverse time decay",
    correction=RATE_IS_THE_OPTIMIZERS,
    task=task,
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    model = trainings[0].learner.model
    by_temperature = {temperature: texts(model, temperature) for temperature in TEMPERATURES}
    outcome = comparison.tell(PROGRAM, options, trainings)
    untrained = texts(trainings[0].plan.untrained(), 1.0)[0]
    return outcome.plus(
        notes=[f"Before the training:\n{indented(PROMPT + untrained)}", *_notes(by_temperature)],
        panels=[_by_temperature(by_temperature)],
    )


def _notes(by_temperature: Mapping[float, Sequence[str]]) -> Iterator[str]:
    for temperature in SHOWN:
        yield f"At temperature {temperature}:\n{indented(PROMPT + by_temperature[temperature][0])}"
    copied = max(longest_copy(text, reference().corpus.train) for text in by_temperature[1.0])
    yield f"In {COUNT} texts at temperature 1, the longest stretch that the training text has as well is {copied} long."


def _by_temperature(by_temperature: Mapping[float, Sequence[str]]) -> Panel:
    vocabulary = set(words(reference().corpus.train))
    shares = {
        "known words": [100 * known(texts, vocabulary) for texts in by_temperature.values()],
        "different words": [100 * different(texts) for texts in by_temperature.values()],
    }
    goal = {"held-out text": 100 * known([reference().corpus.held_out], vocabulary)}
    lines = [Line(name, "gradstep", list(by_temperature), values) for name, values in shares.items()]
    return Panel("Of the words written, in %", lines, goals=goal, across="temperature")
