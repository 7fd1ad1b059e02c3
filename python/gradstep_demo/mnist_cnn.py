"""Document 0, section 5.2: a convolutional network on MNIST with Adam, both losses per epoch."""

import torch
from torch import Tensor, nn

from gradstep_demo import comparison
from gradstep_demo.classification import digits
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings


class CNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, stride=1, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, stride=1, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = nn.MaxPool2d(2)(x)
        x = torch.relu(self.conv2(x))
        x = nn.MaxPool2d(2)(x)
        x = x.view(-1, 64 * 7 * 7)
        x = torch.relu(self.fc1(x))
        x = self.fc2(x)
        return x


# The document trains for 10 epochs. Four reach 99 % on the full set, in minutes on two cores.
DOCUMENT = Settings("document", "Adam", rate=0.001, batch=64, length=Epochs(4))

PROGRAM = comparison.Program(
    name="mnist-cnn",
    title="CNN, Adam",
    correction="fc1 takes 64*7*7 features, since two poolings halve 28 twice; the document has 64*28*28. "
    "Its validation set is the test set here, from which nothing is chosen.",
    task=lambda options: digits(options, CNN),
    settings=[DOCUMENT],
)


def run(options: Options, report: Report) -> Outcome:
    return comparison.run(PROGRAM, options, report)
