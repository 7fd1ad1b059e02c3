"""The next character of English text, with Adam and a rate that decays with each update (document 4, section 10.2).

Corrected: `optimizer.step(current_lr)` is no such call: the rate is the optimizer's, and here a schedule gives it.
"""

import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gradstep import InverseTimeDecay, optim
from gradstep_demo.reference_text import python_reference

UPDATES = 40  # the document: 100,000
BATCH = 16
WINDOW = 100  # characters that are read together
torch.manual_seed(0)

corpus = python_reference()
alphabet = {character: number for number, character in enumerate(sorted({*corpus.train, *corpus.held_out}))}
train, held_out = (torch.tensor([alphabet[each] for each in text]) for text in (corpus.train, corpus.held_out))


class CharacterModel(nn.Module):
    def __init__(self, characters, width=256):
        super().__init__()
        self.embedding = nn.Embedding(characters, 64)
        self.recurrent = nn.GRU(64, width, batch_first=True)
        self.output = nn.Linear(width, characters)

    def forward(self, numbers):
        outputs, _ = self.recurrent(self.embedding(numbers))
        return self.output(outputs)


def bits(windows):
    return cross_entropy(model(windows[:, :-1]).transpose(1, 2), windows[:, 1:]) / math.log(2)


model = CharacterModel(len(alphabet))
optimizer = optim.Adam(model.parameters(), lr=InverseTimeDecay(1e-3, rate=1e-4))

for update in range(UPDATES):
    loss = bits(train[torch.randint(len(train) - WINDOW, (BATCH, 1)) + torch.arange(WINDOW + 1)])
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if update % 20 == 0:
        print(f"update {update}: {loss.item():.3f} bits per character")

with torch.no_grad():
    print(f"held-out text: {bits(held_out.unfold(0, WINDOW + 1, WINDOW)).item():.3f} bits per character")
