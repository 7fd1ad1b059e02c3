"""A recurrent network that reads digits row by row, with a rate that decays by epoch (document 4, section 5.2).

Corrected: a model has no `train_one_epoch(data_loader, current_lr)`: the rate is the optimizer's, here a schedule. The
document names no optimizer; SGD at its rate wants the momentum that is added here.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from gradstep import InverseTimeDecay, optim
from gradstep_demo.data import mnist

EPOCHS = 3  # the document: 100
BATCH = 32
torch.manual_seed(0)

x, y, x_test, y_test = map(torch.from_numpy, mnist())
loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(28, 64, batch_first=True)
        self.output = nn.Linear(64, 10)

    def forward(self, x):
        outputs, _ = self.recurrent(x.squeeze(1))
        return self.output(outputs[:, -1])


model = Rows()
rate = InverseTimeDecay(0.1, rate=0.05, steps=len(loader), staircase=True)
optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9)

for epoch in range(EPOCHS):
    for inputs, labels in loader:
        loss = cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean()
    print(f"epoch {epoch}: test accuracy {accuracy:.2%}")
