"""A linear model with Adam, its rate divided at each epoch (document 4, sections 6.2 and A.1).

Corrected: section 6.2 divides the rate of the epoch before, which compounds to a product and has all but stopped by
epoch 40; section A.1 divides the initial rate. Both are inverse time, not linear decay.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from gradstep import InverseTimeDecay, Piecewise, optim
from gradstep_demo.tables import patients

EPOCHS = 50  # the document: 100
BATCH = 32

x, y, x_valid, y_valid = map(torch.from_numpy, patients())
loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)

divisors = np.cumprod([1 + 0.01 * epoch for epoch in range(EPOCHS)])
starts = [len(loader) * epoch for epoch in range(1, EPOCHS)]
rates = {
    "A.1": InverseTimeDecay(0.1, 0.01, steps=len(loader), staircase=True),
    "6.2": Piecewise(starts, list(0.1 / divisors)),
}
for section, rate in rates.items():
    torch.manual_seed(0)
    model = nn.Linear(10, 1)
    optimizer = optim.Adam(model.parameters(), lr=rate, weight_decay=1e-5)
    for _ in range(EPOCHS):
        for inputs, targets in loader:
            loss = mse_loss(model(inputs), targets)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    validation = mse_loss(model(x_valid), y_valid).item()
    print(f"section {section}: last rate {rate(len(loader) * EPOCHS - 1):.3g}, validation loss {validation:.4f}")
