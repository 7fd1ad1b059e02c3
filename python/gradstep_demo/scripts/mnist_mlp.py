"""A perceptron 784-256-10 on MNIST with Adagrad (document 3, section 5.2).

Corrected: the document claims 98.6 %; on the full set these settings reach 97.4 to 97.7 %.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from gradstep import optim
from gradstep_demo.data import mnist

EPOCHS = 5  # the document: 10
BATCH = 100
torch.manual_seed(0)

x, y, x_test, y_test = map(torch.from_numpy, mnist())
loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = optim.Adagrad(model.parameters(), lr=0.1, eps=1e-8)

for epoch in range(EPOCHS):
    for inputs, labels in loader:
        loss = cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(f"epoch {epoch}: loss of the last batch {loss.item():.4f}")

with torch.no_grad():
    accuracy = (model(x_test).argmax(1) == y_test).float().mean()
print(f"test accuracy {accuracy:.2%}")
