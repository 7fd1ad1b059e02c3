"""Adagrad as a user writes it, held against the library's (document 3, section 3.2).

Corrected: the document's class is a module and no optimizer, has a state for its first parameter only, and keeps a sum
of gradients that nothing reads.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gradstep import optim
from gradstep_demo.data import mnist

UPDATES = 200  # the document names no number
BATCH = 100


class Adagrad(torch.optim.Optimizer):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for param in group["params"]:
                squares = self.state[param].setdefault("sum", torch.zeros_like(param))
                squares += param.grad**2
                param -= group["lr"] / (squares.sqrt() + group["eps"]) * param.grad


x, y, x_test, y_test = map(torch.from_numpy, mnist())
trained = []
for name, rule in {"by hand": Adagrad, "gradstep": optim.Adagrad}.items():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = rule(model.parameters(), lr=0.01, eps=1e-10)
    for _ in range(UPDATES):
        rows = torch.randint(len(x), (BATCH,))
        cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
        optimizer.zero_grad()
    accuracy = (model(x_test).argmax(1) == y_test).float().mean()
    print(f"{name}: test accuracy {accuracy:.2%}")
    trained.append(nn.utils.parameters_to_vector(model.parameters()).detach())
print(f"parameters differ by {(trained[0] - trained[1]).norm() / trained[0].norm():.1e} of their size")
