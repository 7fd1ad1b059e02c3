"""Document 3, section 3.2: Adagrad as a user writes it, held against the library's."""

from collections.abc import Iterable

import torch
from torch import nn

from gradstep_demo import comparison
from gradstep_demo.classification import digits
from gradstep_demo.contenders import GRADSTEP, Contender, Library
from gradstep_demo.mnist_mlp import MLP
from gradstep_demo.outcome import Options, Outcome
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings, Span

LEARNING_RATE = 0.01


class Adagrad(torch.optim.Optimizer):
    """H += g**2, and then param -= lr / (sqrt(H) + eps) * g."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 0.01, eps: float = 1e-10) -> None:
        super().__init__(params, {"lr": lr, "eps": eps})
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["H"] = torch.zeros_like(param)

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for param in group["params"]:
                g, h = param.grad, self.state[param]["H"]
                h += g**2
                param -= group["lr"] / (torch.sqrt(h) + group["eps"]) * g


def by_hand(settings: Settings, model: nn.Module, _: Span) -> Contender:
    optimizer = Adagrad(model.parameters(), lr=LEARNING_RATE, **settings.options)
    return Contender(optimizer, optimizer.step, optimizer.zero_grad)


PROGRAM = comparison.Program(
    name="own-optimizer",
    title="Adagrad by hand and by gradstep, MLP 784-256-10",
    correction="the document's class is a module and no optimizer, has a state for its first parameter only "
    "(indexed by the number of a parameter), and keeps a sum of gradients that nothing reads.",
    task=lambda options: digits(options, MLP),
    settings=[
        Settings("document", "Adagrad", LEARNING_RATE, batch=100, length=Epochs(5), options={"eps": 1e-10}),
    ],
    libraries=[GRADSTEP, Library("by hand", by_hand)],
)


def run(options: Options, report: Report) -> Outcome:
    ours, own = trainings = comparison.train(PROGRAM, options, report)
    apart = distance(ours.learner.model, own.learner.model)
    ratio = own.learner.step_seconds / ours.learner.step_seconds
    notes = [
        f"After {ours.plan.span.updates} updates the parameters differ by {apart:.1e} of their size: by rounding. "
        f"The step by hand takes {ratio:.1f} times as long."
    ]
    return comparison.tell(PROGRAM, options, trainings).plus(notes, results={"apart": apart, "time_ratio": ratio})


def distance(a: nn.Module, b: nn.Module) -> float:
    """The norm of the parameters' difference, as a part of their norm."""
    p, q = (nn.utils.parameters_to_vector(model.parameters()).detach() for model in (a, b))
    return float((p - q).norm() / p.norm())
