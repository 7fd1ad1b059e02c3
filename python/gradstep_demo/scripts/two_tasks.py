"""One model for two tasks, and three ways to share the rate between them (document 4, section 9.2).

Corrected: the document gives no code. The weighted mean of gradients is the gradient of the losses' weighted mean; the
weights are fixed in the second way and learned in the third.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.data import DataLoader, TensorDataset

from gradstep import CosineDecay, optim, tasks
from gradstep_demo.data import mnist

EPOCHS = 5
BATCH = 100

x, y, x_test, y_test = map(torch.from_numpy, mnist())
loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)
updates = EPOCHS * len(loader)


def losses(x, y):
    code = model["shared"](x)
    return torch.stack([cross_entropy(model["digit"](code), y), mse_loss(model["image"](code), x)])


for way in ("own rates", "one rate", "moving weights"):
    torch.manual_seed(0)
    shared = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
    image = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784), nn.Unflatten(1, (1, 28, 28)))
    model = nn.ModuleDict({"shared": shared, "digit": nn.Linear(32, 10), "image": image})
    parts = {name: part.parameters() for name, part in model.items()}
    rates = {"shared": 1e-3, "digit": 5e-4, "image": 5e-3} if way == "own rates" else dict.fromkeys(parts, 1e-3)
    schedules = {name: CosineDecay(rate, updates) for name, rate in rates.items()}
    optimizer = optim.Adam(tasks.task_groups(parts, schedules))
    balance = tasks.UncertaintyWeights(["classification", "regression"], lr=0.02)
    for _ in range(EPOCHS):
        for inputs, labels in loader:
            each = losses(inputs, labels)
            weights = {"own rates": (1, 1), "one rate": (0.5, 0.5), "moving weights": balance.weights}[way]
            (each * torch.tensor(weights)).sum().backward()
            balance.update(each)
            optimizer.step()
            optimizer.zero_grad()
    digit, picture = losses(x_test, y_test).tolist()
    print(f"{way}: test loss of the digit {digit:.4f}, of the image {picture:.4f}")
