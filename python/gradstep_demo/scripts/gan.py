"""Digits made by two networks that compete, each with its own decaying rate (document 4, sections 5.3 and 7.3).

Corrected: the decay counts iterations, of which 10,000 halve the rates and 100 take 1 % off; `num_d Steps` is no name,
so the two take turns. Added: the kind of each digit is known to both, batch normalisation, 0.5 as Adam's first beta,
and 0.9 as the probability that the discriminator shall give a real digit.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from gradstep import InverseTimeDecay, optim
from gradstep_demo.data import mnist

UPDATES = 100  # the document: 10,000
BATCH = 32
torch.manual_seed(0)

x, y, _, _ = map(torch.from_numpy, mnist())
generator = nn.Sequential(
    *(nn.Linear(64 + 10, 32 * 14 * 14), nn.Unflatten(1, (32, 14, 14)), nn.BatchNorm2d(32), nn.ReLU()),
    *(nn.Conv2d(32, 32, kernel_size=3, padding=1), nn.BatchNorm2d(32), nn.ReLU()),
    *(nn.ConvTranspose2d(32, 1, kernel_size=4, stride=2, padding=1), nn.Tanh()),
)
discriminator = nn.Sequential(
    *(nn.Conv2d(1, 32, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.2)),
    *(nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2)),
    *(nn.Flatten(), nn.Linear(64 * 7 * 7, 10)),
)
maker = optim.Adam(generator.parameters(), lr=InverseTimeDecay(2e-4, rate=1e-4), betas=(0.5, 0.999))
judge = optim.Adam(discriminator.parameters(), lr=InverseTimeDecay(5e-5, rate=1e-4), betas=(0.5, 0.999))


def verdict(digits, kinds, wanted):
    logits = discriminator(digits).gather(1, kinds.unsqueeze(1))
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


for update in range(UPDATES):
    rows = torch.randint(len(x), (BATCH,))
    real, kinds = 2 * x[rows] - 1, y[rows]  # from -1 (white) to 1 (black)
    made = generator(torch.cat([torch.randn(BATCH, 64), one_hot(kinds, 10)], dim=1))
    deceived = verdict(real, kinds, 0.9) + verdict(made.detach(), kinds, 0.0)
    judge.zero_grad()
    deceived.backward()
    judge.step()
    detected = verdict(made, kinds, 1.0)
    maker.zero_grad()
    detected.backward()
    maker.step()
    if update % 20 == 0 or update == UPDATES - 1:
        print(f"update {update}: generator {detected.item():.4f}, discriminator {deceived.item():.4f}")

print(f"a {kinds[0]}, as the generator draws it:")
print("\n".join("".join(" .:*#"[int(2 * value + 2.5)] for value in row) for row in made[0, 0, ::2].tolist()))
