"""The small models of the training loops, each with random batches of its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["TASKS", "Task"]


@dataclass(frozen=True)
class Task:
    """A classifier, made anew by each call, and one batch for it."""

    title: str
    model: Callable[[], nn.Module]
    batch: Callable[[], tuple[torch.Tensor, torch.Tensor]]


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def _cnn() -> nn.Module:
    """A CNN of the size of the examples': two convolutions, two dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1600, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


class _Transformer(nn.Module):
    """Letters of a text, each predicted from those before it."""

    letters, length, width = 64, 64, 128

    def __init__(self) -> None:
        super().__init__()
        self.letter = nn.Embedding(self.letters, self.width)
        self.place = nn.Parameter(torch.zeros(self.length, self.width))
        layer = nn.TransformerEncoderLayer(
            self.width, 4, 4 * self.width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.out = nn.Linear(self.width, self.letters)
        self.register_buffer("future", nn.Transformer.generate_square_subsequent_mask(self.length))

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        hidden = self.layers(self.letter(text) + self.place, mask=self.future, is_causal=True)
        logits: torch.Tensor = self.out(hidden)
        return logits.flatten(0, 1)


def _digits(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(shape), torch.randint(10, shape[:1])


def _text(batch: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    text = torch.randint(_Transformer.letters, (batch, _Transformer.length + 1))
    return text[:, :-1], text[:, 1:].flatten()


TASKS = {
    "mlp": Task("MLP 784-256-10, batch 64", _mlp, lambda: _digits(64, 784)),
    "cnn": Task("CNN of two convolutions, batch 32", _cnn, lambda: _digits(32, 1, 28, 28)),
    "transformer": Task("transformer of 4 layers, width 128, batch 8 x 64", _Transformer, _text),
}
