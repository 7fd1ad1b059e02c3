"""English text to learn from: the topics of Python's language reference, which ship with it for `help()`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 20  # paragraphs that stay together
EVERY = 10  # each tenth block is held out
TABLE = re.compile(r"^\s*[|+]", re.MULTILINE)


@dataclass(frozen=True)
class Corpus:
    """A text to learn from and one to measure on, which share no paragraph."""

    name: str
    train: str
    held_out: str


def python_reference() -> Corpus:
    every = list(paragraphs())
    blocks = [every[i : i + BLOCK] for i in range(0, len(every), BLOCK)]
    held_out = blocks[EVERY // 2 :: EVERY]
    train = [block for block in blocks if block not in held_out]
    return Corpus("Python's help topics", _joined(train), _joined(held_out))


def paragraphs() -> Iterator[str]:
    """Each paragraph once, in the order of the topics, which repeat one another; without the tables."""
    from pydoc_data.topics import topics

    seen = set()
    for name in sorted(topics):
        for paragraph in topics[name].split("\n\n"):
            words = tuple(paragraph.split())
            if words and words not in seen and not TABLE.search(paragraph):
                seen.add(words)
                yield paragraph.strip("\n")


def _joined(blocks: list[list[str]]) -> str:
    return "".join(f"{paragraph}\n\n" for block in blocks for paragraph in block)
