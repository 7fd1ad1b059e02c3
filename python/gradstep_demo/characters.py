"""Text as numbers, and a recurrent network that tells which character comes next."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class Alphabet:
    """The characters of a text, each with its number."""

    def __init__(self, text: Iterable[str]) -> None:
        self.characters = sorted(set(text))
        self.numbers = {character: number for number, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Tensor:
        return torch.tensor([self.numbers[character] for character in text])

    def decode(self, numbers: Tensor) -> str:
        return "".join(self.characters[number] for number in numbers.tolist())


class CharacterModel(nn.Module):
    """Logits for the character after each of a text, from that one and all before it."""

    def __init__(self, characters: int, width: int = 256) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, 64)
        self.recurrent = nn.GRU(64, width, batch_first=True)
        self.output = nn.Linear(width, characters)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.read(numbers)[0]

    def read(self, numbers: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The logits, and the state from which to read on."""
        outputs, state = self.recurrent(self.embedding(numbers), state)
        return self.output(outputs), state


def bits(logits: Tensor, answers: Tensor) -> Tensor:
    """Cross entropy in bits for each character."""
    return cross_entropy(logits.transpose(1, 2), answers, reduction="none") / math.log(2)


def bits_per_character(logits: Tensor, answers: Tensor) -> Tensor:
    return bits(logits, answers).mean()


@torch.no_grad()
def write(model: CharacterModel, prompts: Tensor, length: int, temperature: float, seed: int = 0) -> Tensor:
    """So many characters after each prompt, drawn from softmax(logits / temperature)."""
    chance = torch.Generator().manual_seed(seed)
    written, state = prompts, None
    for _ in range(length):
        logits, state = model.read(written[:, -1:] if state is not None else written, state)
        probabilities = torch.softmax(logits[:, -1] / temperature, dim=-1)
        written = torch.cat([written, torch.multinomial(probabilities, 1, generator=chance)], dim=1)
    return written[:, prompts.shape[1] :]
