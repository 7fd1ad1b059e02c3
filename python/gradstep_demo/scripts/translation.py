"""Names from English into Ukrainian, with attention, Adam and a decaying rate (document 4, section 10.3).

Corrected: `optimizer.step(current_lr)` is no such call: the rate is the optimizer's, and here a schedule gives it.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from gradstep import InverseTimeDecay, optim
from gradstep_demo import names

UPDATES = 40  # the document: 100,000; 3000 translate
BATCH = 64
torch.manual_seed(0)

pairs = names.load().train
alphabet = ["<pad>", "<start>", "<end>", *sorted({character for pair in pairs for text in pair for character in text})]


def padded(texts):
    return pad_sequence([torch.tensor([1, *map(alphabet.index, text), 2]) for text in texts], batch_first=True)


class Translator(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.embedding = nn.Embedding(len(alphabet), 64)
        self.encoder = nn.GRU(64, width // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(64, width, batch_first=True)
        self.attention = nn.MultiheadAttention(width, 1, batch_first=True)
        self.output = nn.Linear(2 * width, len(alphabet))

    def forward(self, sources, written):
        memory, _ = self.encoder(self.embedding(sources))
        outputs, _ = self.decoder(self.embedding(written))
        found, _ = self.attention(outputs, memory, memory, key_padding_mask=sources == 0)
        return self.output(torch.cat([found, outputs], dim=-1))


model = Translator()
criterion = nn.CrossEntropyLoss(ignore_index=0)
optimizer = optim.Adam(model.parameters(), lr=InverseTimeDecay(1e-3, rate=1e-4))

english, ukrainian = (padded(texts) for texts in zip(*pairs, strict=True))
for _ in range(UPDATES):
    rows = torch.randint(len(pairs), (BATCH,))
    loss = criterion(model(english[rows], ukrainian[rows, :-1]).transpose(1, 2), ukrainian[rows, 1:])
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
print(f"loss of the last batch {loss.item():.4f}")

written = [1]
while written[-1] != 2 and len(written) <= names.LONGEST:
    written.append(int(model(english[:1], torch.tensor([written]))[0, -1].argmax()))
print(pairs[0][0], "->", "".join(alphabet[number] for number in written[1:]), "- wanted:", pairs[0][1])
