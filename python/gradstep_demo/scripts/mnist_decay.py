"""A convolutional network on MNIST, its rate divided by 1 + 0.001 * epoch (document 4, section 7.1).

Corrected: an iteration must be an epoch, since 100 batches do not reach the 98.5 % that the document names. It names
no optimizer; plain gradient descent is far too slow, so this is Adam.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from gradstep import InverseTimeDecay, optim
from gradstep_demo.data import mnist

EPOCHS = 2  # the document: 100
BATCH = 256
torch.manual_seed(0)

x, y, x_test, y_test = map(torch.from_numpy, mnist())
loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)

model = nn.Sequential(
    nn.Conv2d(1, 16, kernel_size=3, padding=1),
    nn.MaxPool2d(2),
    nn.ReLU(),
    nn.Conv2d(16, 32, kernel_size=3, padding=1),
    nn.MaxPool2d(2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(32 * 7 * 7, 10),
)
rate = InverseTimeDecay(0.01, rate=0.001, steps=len(loader), staircase=True)
optimizer = optim.Adam(model.parameters(), lr=rate)

for epoch in range(EPOCHS):
    for inputs, labels in loader:
        loss = cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean()
    print(f"epoch {epoch}: test accuracy {accuracy:.2%}")
