"""The next character of a text as a task: what a language model learns, and what a text is generated with."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from gradstep_demo import language
from gradstep_demo.characters import Alphabet, CharacterModel, bits, bits_per_character, write
from gradstep_demo.reference_text import Corpus, python_reference
from gradstep_demo.settings import Updates
from gradstep_demo.task import LOSS, Task

WINDOW = 100  # characters that are read together
# The document makes 100,000 updates; these take minutes on two cores.
DOCUMENT = language.document(batch=16, length=Updates(1500, quick=60))


@dataclass(frozen=True)
class Text:
    corpus: Corpus
    alphabet: Alphabet

    @property
    def held_out(self) -> Tensor:
        """All of the held-out text, in windows of which each starts with the last character of the one before."""
        return self.alphabet.encode(self.corpus.held_out).unfold(0, WINDOW + 1, WINDOW)

    @property
    def train(self) -> Tensor:
        """A window from every character of the training text on."""
        return self.alphabet.encode(self.corpus.train).unfold(0, WINDOW + 1, 1)

    def task(self) -> Task:
        held_out = self.held_out
        return Task(
            data=self.corpus.name,
            train=(self.train[:, :-1], self.train[:, 1:]),
            build=lambda: CharacterModel(len(self.alphabet)),
            loss=bits_per_character,
            measure=lambda model: {LOSS.name: bits_per_character_of(model, held_out)},
            metrics=(LOSS,),
            loss_name="Bits per character",
            facts={
                "train_characters": len(self.corpus.train),
                "held_out_characters": len(self.corpus.held_out),
                "alphabet": len(self.alphabet),
            },
        )

    def sample(self, model: Any, prompt: str, length: int, temperature: float, count: int = 1) -> list[str]:
        """What the model writes after the prompt, so many times."""
        prompts = self.alphabet.encode(prompt).repeat(count, 1)
        return [self.alphabet.decode(row) for row in write(model, prompts, length, temperature)]


@cache
def reference() -> Text:
    corpus = python_reference()
    return Text(corpus, Alphabet(corpus.train + corpus.held_out))


@torch.no_grad()
def bits_at(model: nn.Module, windows: Tensor) -> Tensor:
    """The mean bits at each place of a window: at place k, k characters are known."""
    return bits(model(windows[:, :-1]), windows[:, 1:]).mean(dim=0)


def bits_per_character_of(model: nn.Module, windows: Tensor) -> float:
    return float(bits_at(model, windows).mean())


def indented(text: str) -> str:
    """A text that a model wrote, set off from what is said about it."""
    return "\n".join(f"    {line}".rstrip() for line in text.strip("\n").split("\n"))
