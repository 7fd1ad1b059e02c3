"""A generative adversarial network for digits: one half makes them, the other tells them from real ones."""

import torch
from torch import Tensor, nn

NOISE = 64  # numbers from which a digit is made
CHANNELS = 32


def generator() -> nn.Module:
    """One convolution and one deconvolution, as the document has it, on noise that is spread over 14 x 14."""
    return nn.Sequential(
        nn.Linear(NOISE, CHANNELS * 14 * 14),
        nn.Unflatten(1, (CHANNELS, 14, 14)),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        nn.Conv2d(CHANNELS, CHANNELS, kernel_size=3, padding=1),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        nn.ConvTranspose2d(CHANNELS, 1, kernel_size=4, stride=2, padding=1),
        nn.Tanh(),
    )


def discriminator() -> nn.Module:
    """Two convolutions, and the logit that a digit is real."""
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, kernel_size=4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, kernel_size=4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * CHANNELS * 7 * 7, 1),
    )


class GAN(nn.Module):
    """Its digits have pixels from -1 (white) to 1 (black)."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = generator()
        self.discriminator = discriminator()

    def made(self, count: int, chance: torch.Generator | None = None) -> Tensor:
        """So many digits, each from noise of its own."""
        digits: Tensor = self.generator(torch.randn(count, NOISE, generator=chance))
        return digits
