"""One model under six strategies for the rate (document 1, section 4).

Corrected: the floor of the schedule is a maximum; the document's minimum pins the rate at 0.0001. The rate itself is
set: the document scales gradients, which Adam cancels. Its "inverse time" is exponential: "fraction" below.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gradstep import ExponentialDecay, Uniform, maximum, optim
from gradstep_demo.data import mnist

UPDATES = 300  # the document: 1000
BATCH = 64

x, y, x_test, y_test = map(torch.from_numpy, mnist())

strategies = {
    "fixed": (optim.SGD, 0.01),
    "exponential": (optim.SGD, ExponentialDecay(0.1, 0.99)),
    "fraction": (optim.SGD, ExponentialDecay(0.1, 0.99, steps=UPDATES)),
    "random": (optim.SGD, Uniform(0.01, 0.1, seed=0)),
    "adaptive": (optim.Adam, 0.001),
    "schedule": (optim.SGD, maximum(ExponentialDecay(0.1, 0.99, steps=100), 0.0001)),
}
for name, (rule, rate) in strategies.items():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = rule(model.parameters(), lr=rate)
    for _ in range(UPDATES):
        rows = torch.randint(len(x), (BATCH,))
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean()
    print(f"{name}: last loss {loss.item():.4f}, test accuracy {accuracy:.2%}")
