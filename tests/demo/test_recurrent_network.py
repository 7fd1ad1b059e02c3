"""The recurrent network: what it reads, and how its rate falls."""

import pytest
import torch
from rich.console import Console

from gradstep_demo import recurrent_network
from gradstep_demo.outcome import Options
from gradstep_demo.recurrent_network import Rows, decay
from gradstep_demo.report import Report
from gradstep_demo.settings import Span
from support.tolerances import FEW_ULP, SINGLE


def test_rate_falls_with_each_epoch_by_the_documents_formula():
    rates = decay(Span(updates=12, epoch=4))(range(12))
    assert rates.tolist() == pytest.approx([0.1 / (1 + 0.05 * (t // 4)) for t in range(12)], rel=FEW_ULP)


def test_reads_each_row_in_turn():
    torch.manual_seed(0)
    model, digits = Rows(), torch.rand(2, 1, 28, 28)
    state = None
    for row in range(28):
        outputs, state = model.recurrent(digits[:, :, row], state)
    # Two orders of float32 sums.
    assert torch.allclose(model(digits), model.output(outputs[:, -1]), atol=SINGLE)


def test_learns_to_tell_digits(digits):
    outcome = recurrent_network.run(Options(digits, epochs=20), Report(Console(quiet=True)))
    ours, theirs = outcome.results["runs"]
    assert outcome.results["test_accuracy"] > 0.6
    assert ours["curve"]["loss"][:20] == pytest.approx(theirs["curve"]["loss"][:20], rel=0.01)
