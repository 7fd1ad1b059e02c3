"""Text that a model writes at several temperatures, trained with Adam and a decaying rate (document 4, section 10.4).

Corrected: `optimizer.step(current_lr)` is no such call: the rate is the optimizer's, and here a schedule gives it.
"""

import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gradstep import InverseTimeDecay, optim
from gradstep_demo.reference_text import python_reference

UPDATES = 40  # the document: 100,000; 1500 write words
BATCH = 16
WINDOW = 100  # characters that are read together
torch.manual_seed(0)

text = python_reference().train
alphabet = sorted(set(text))
numbers = torch.tensor([alphabet.index(character) for character in text])

embedding = nn.Embedding(len(alphabet), 64)
recurrent = nn.GRU(64, 256, batch_first=True)
output = nn.Linear(256, len(alphabet))
model = nn.ModuleList([embedding, recurrent, output])
optimizer = optim.Adam(model.parameters(), lr=InverseTimeDecay(1e-3, rate=1e-4))

for update in range(UPDATES):
    windows = numbers[torch.randint(len(numbers) - WINDOW, (BATCH, 1)) + torch.arange(WINDOW + 1)]
    logits = output(recurrent(embedding(windows[:, :-1]))[0])
    loss = cross_entropy(logits.transpose(1, 2), windows[:, 1:]) / math.log(2)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if update % 20 == 0 or update == UPDATES - 1:
        print(f"update {update}: {loss.item():.3f} bits per character")

for temperature in (0.2, 0.6, 1.0):
    written, state = [alphabet.index("T")], None
    for _ in range(100):
        with torch.no_grad():
            outputs, state = recurrent(embedding(torch.tensor(written[-1:])), state)
            chances = torch.softmax(output(outputs[-1]) / temperature, dim=-1)
        written.append(int(torch.multinomial(chances, 1)))
    print(f"at temperature {temperature}:", repr("".join(alphabet[number] for number in written)))
