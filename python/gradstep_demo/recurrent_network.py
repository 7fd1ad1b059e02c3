"""Document 4, section 5.2: a recurrent network with a rate that decays with each epoch."""

from torch import Tensor, nn

from gradstep import InverseTimeDecay
from gradstep.schedules import Schedule
from gradstep_demo import comparison
from gradstep_demo.classification import digits
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings, Span


class Rows(nn.Module):
    """Reads a digit row by row, 28 pixels each, and says at the last which it is."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.GRU(28, 64, batch_first=True)
        self.output = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.recurrent(x.squeeze(1))
        logits: Tensor = self.output(outputs[:, -1])
        return logits


def decay(span: Span) -> Schedule:
    """0.1 / (1 + 0.05 * epoch)."""
    return InverseTimeDecay(0.1, rate=0.05, steps=span.epoch, staircase=True)


# The document trains for 100 epochs; the test accuracy moves no more after 20.
DOCUMENT = Settings("document", "SGD", rate=decay, batch=32, length=Epochs(20, quick=4), options={"momentum": 0.9})

PROGRAM = comparison.Program(
    name="recurrent-network",
    title="GRU over the rows of digits, SGD, decay by epoch",
    correction="a model has no `train_one_epoch(data_loader, current_lr)`: the rate is the optimizer's, here a "
    "schedule. The document names no optimizer; SGD at its rate wants the momentum that we add.",
    task=lambda options: digits(options, Rows),
    settings=[DOCUMENT],
)


def run(options: Options, report: Report) -> Outcome:
    return comparison.run(PROGRAM, options, report)
