"""A perceptron on the prices of houses in Boston, its rate an inverse time decay (document 4, section 7.2).

Corrected: the document calls its rate linear; 0.1 / (1 + 0.01 * iteration) is inverse time decay. Its error of 0.025
says nothing without a scale: here prices are scaled to [0, 1], where their mean gives 0.04.
"""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from gradstep import InverseTimeDecay, optim
from gradstep_demo.tables import houses

UPDATES = 1000
BATCH = 32
torch.manual_seed(0)

x, y, x_valid, y_valid = map(torch.from_numpy, houses())
model = nn.Sequential(nn.Linear(13, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = optim.SGD(model.parameters(), lr=InverseTimeDecay(0.1, rate=0.01))

for update in range(UPDATES):
    rows = torch.randint(len(x), (BATCH,))
    loss = mse_loss(model(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if update % 200 == 0:
        print(f"update {update}: loss {loss.item():.4f}")

print(f"validation loss {mse_loss(model(x_valid), y_valid).item():.4f}")
