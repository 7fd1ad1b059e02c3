"""A generative adversarial network for digits: one half makes the kind asked for, the other tells it from real ones."""

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.optim.swa_utils import AveragedModel

KINDS = 10
NOISE = 64  # numbers that make one digit differ from the next
CHANNELS = 32
NEWEST = 0.002  # the weight of the newest generator in their average


class GAN(nn.Module):
    """Pixels go from -1 (white) to 1 (black). Both halves are told the kind (Mirza and Osindero 2014).

    Outside of training, digits are made with the weights of the generator's last 500 updates or so, averaged: each
    half makes the other swing, and the average lies in the middle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generator = generator()
        self.discriminator = discriminator()
        self.average = AveragedModel(self.generator, avg_fn=averaged, use_buffers=True)

    def make(self, kinds: Tensor, chance: torch.Generator) -> Tensor:
        """A digit of each of these kinds."""
        noise = torch.randn(len(kinds), NOISE, generator=chance)
        network = self.generator if self.training else self.average
        digits: Tensor = network(torch.cat([noise, one_hot(kinds, KINDS)], dim=1))
        return digits

    def judge(self, digits: Tensor, kinds: Tensor) -> Tensor:
        """The logit of each digit's being a real one of its kind."""
        logits: Tensor = self.discriminator(digits)
        return logits.gather(1, kinds.unsqueeze(1))


def averaged(mean: Tensor, newest: Tensor, count: Tensor | int) -> Tensor:
    """An exponential average, whose first few hundred values forget the start sooner."""
    return mean + (newest - mean) * max(NEWEST, 9 / (10 + float(count)))


def generator() -> nn.Module:
    """One convolution and one deconvolution, as the document has it, after a linear layer to 14 x 14."""
    return nn.Sequential(
        nn.Linear(NOISE + KINDS, CHANNELS * 14 * 14),
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
    """Two convolutions, then a logit for each kind. Normalised by batch, it sees where all made digits are alike."""
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, kernel_size=4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, kernel_size=4, stride=2, padding=1),
        nn.BatchNorm2d(2 * CHANNELS),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * CHANNELS * 7 * 7, KINDS),
    )
