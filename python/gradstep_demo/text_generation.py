"""Document 4, section 10.4: text generation, with Adam and a rate that decays with each update."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from torch import nn

from gradstep_demo import comparison, language
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.next_character import DOCUMENT, indented, reference
from gradstep_demo.outcome import Line, Options, Outcome, Panel
from gradstep_demo.report import Report
from gradstep_demo.task import Metric, Task

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
    correction=language.CORRECTION,
    task=task,
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    untrained, trained = trainings[0].plan.untrained(), trainings[0].learner.model
    written = {temperature: texts(trained, temperature) for temperature in TEMPERATURES}
    copied = max(longest_copy(text, reference().corpus.train) for text in written[1.0])
    shares = _shares(written)
    return comparison.tell(PROGRAM, options, trainings).plus(
        notes=[
            f"Before the training, at temperature 1.0:\n{indented(PROMPT + texts(untrained, 1.0)[0])}",
            *(f"After it, at temperature {each}:\n{indented(PROMPT + written[each][0])}" for each in SHOWN),
            f"The longest stretch that {COUNT} texts at temperature 1.0 share with the training text has {copied} "
            "characters.",
        ],
        panels=[_by_temperature(shares)],
        results={"temperatures": TEMPERATURES, **shares, "longest_copy": copied},
    )


def _shares(written: Mapping[float, Sequence[str]]) -> dict[str, list[float]]:
    """Of the words written at each temperature, in percent."""
    vocabulary = set(words(reference().corpus.train))
    return {
        "known words": [100 * known(texts, vocabulary) for texts in written.values()],
        "different words": [100 * different(texts) for texts in written.values()],
        "known words of the held-out text": [100 * known([reference().corpus.held_out], vocabulary)] * len(written),
    }


def _by_temperature(shares: Mapping[str, Sequence[float]]) -> Panel:
    lines = [Line(name, "gradstep", TEMPERATURES, values) for name, values in shares.items()]
    return Panel("Of the words written, in %", lines, across="temperature")
