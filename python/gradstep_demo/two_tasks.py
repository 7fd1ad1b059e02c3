"""Document 4, section 9.2: one model for two tasks, and three ways to share the rate between them."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from gradstep import CosineDecay, optim, tasks
from gradstep.schedules import Schedule
from gradstep_demo import comparison, data
from gradstep_demo.classification import pixels
from gradstep_demo.contenders import GRADSTEP, Contender, Library
from gradstep_demo.learner import Learner
from gradstep_demo.outcome import Line, Options, Outcome, Panel, Picture
from gradstep_demo.report import Report
from gradstep_demo.settings import Epochs, Settings, Span
from gradstep_demo.task import ACCURACY, Metric, Plan, Task
from gradstep_demo.training import Training

RATE = 1e-3  # at the start; all fall to zero along a cosine
RATES = {"shared": RATE, "digit": 5e-4, "image": 5e-3}
NAMES = ("digit", "image")
SHOWN = 10  # digits in the figure


class TwoHeads(nn.Module):
    """Which digit is it, and what does it look like? Both from the same 32 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
        self.digit = nn.Linear(32, 10)
        self.image = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784), nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        code = self.shared(x)
        return self.digit(code), self.image(code)


def losses(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    logits, image = model(x)
    return dict(zip(NAMES, (cross_entropy(logits, y), mse_loss(image, x)), strict=True))


class TwoTasks(Learner):
    """What the three ways have in common."""

    def __init__(self, plan: Plan, library: Library) -> None:
        self.model = plan.task.build()
        self.optimizer = library.optimizer(plan.settings, self.model, plan.span)
        self.optimizers = {"rate": self.optimizer}

    def update(self, batch: Sequence[Tensor]) -> dict[str, float]:
        each = losses(self.model, *batch)
        self.differentiate(list(each.values()))
        self.optimizer.update()
        return {name: loss.item() for name, loss in each.items()}

    @abstractmethod
    def differentiate(self, losses: Sequence[Tensor]) -> None:
        """Leave one gradient for each parameter."""


class OwnRates(TwoTasks):
    """A rate for each task's own parameters, and one for those that they share."""

    def __init__(self, plan: Plan, _: Library) -> None:
        self.model = plan.task.build()
        parameters = {name: part.parameters() for name, part in self.model.named_children()}
        rates = {name: CosineDecay(rate, plan.span.updates) for name, rate in RATES.items()}
        optimizer = optim.Adam(tasks.task_groups(parameters, rates))
        self.optimizer = Contender(optimizer, optimizer.step, optimizer.zero_grad)
        self.optimizers = {"rate": self.optimizer}

    @property
    def rates(self) -> dict[str, float]:
        return {group["task"]: group["lr"] for group in self.optimizer.optimizer.param_groups}

    def differentiate(self, losses: Sequence[Tensor]) -> None:
        torch.stack(list(losses)).sum().backward()  # type: ignore[no-untyped-call]


class WeightedMean(TwoTasks):
    """One rate, on the mean of the tasks' gradients."""

    def differentiate(self, losses: Sequence[Tensor]) -> None:
        parameters = list(self.model.parameters())
        gradients = [torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) for loss in losses]
        for parameter, gradient in zip(parameters, tasks.weighted_mean(gradients, weights=[1, 1]), strict=True):
            parameter.grad = gradient


class MovingWeights(TwoTasks):
    """One rate, and weights that follow how uncertain each task still is."""

    def __init__(self, plan: Plan, library: Library) -> None:
        super().__init__(plan, library)
        self.balance = tasks.UncertaintyWeights(["classification", "regression"], lr=0.02)
        self.weights: list[tasks.weights.Values] = []  # before each update

    def differentiate(self, losses: Sequence[Tensor]) -> None:
        self.weights.append(self.balance.weights)
        weighted = torch.stack(list(losses)) * torch.tensor(self.weights[-1])
        weighted.sum().backward()  # type: ignore[no-untyped-call]
        self.balance.update(losses)


def digits(options: Options) -> Task:
    found = data.load(options.data, options.quick)
    x_test, y_test = pixels(found.x_test), torch.from_numpy(found.y_test)

    def measure(model: nn.Module) -> dict[str, float]:
        right = (model(x_test)[0].argmax(1) == y_test).float().mean()
        tested = {f"test {name}": loss.item() for name, loss in losses(model, x_test, y_test).items()}
        return {ACCURACY.name: right.item(), **tested}

    return Task(
        data=found.name,
        train=(pixels(found.x_train), torch.from_numpy(found.y_train)),
        build=TwoHeads,
        measure=measure,
        metrics=(ACCURACY, Metric("test digit"), Metric("test image")),
    )


def way(name: str, learner: type[TwoTasks]) -> Settings:
    def rate(span: Span) -> Schedule:
        return CosineDecay(RATE, span.updates)

    return Settings(name, "Adam", rate, batch=100, length=Epochs(15, quick=5), learner=learner)


PROGRAM = comparison.Program(
    name="two-tasks",
    title="Two tasks, Adam",
    correction="the document gives no code; its mean of the gradients is weighted by fixed numbers in the second way "
    "and by learned ones in the third.",
    task=digits,
    settings=[way("own rates", OwnRates), way("one rate", WeightedMean), way("moving weights", MovingWeights)],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    trainings = comparison.train(PROGRAM, options, report)
    rates = ", ".join(f"{name} {rate:g}" for name, rate in RATES.items())
    notes = [f"Own rates start at: {rates}. The moving weights start at 1 and 0.5."]
    return comparison.tell(PROGRAM, options, trainings).plus(notes, [moved(trainings[-1]), drawn(trainings, options)])


def moved(training: Training) -> Panel:
    learner = training.learner
    assert isinstance(learner, MovingWeights)
    updates = range(1, len(learner.weights) + 1)
    weights = zip(*learner.weights, strict=True)
    lines = [Line(f"weight of {name}", training.library, updates, w) for name, w in zip(NAMES, weights, strict=True)]
    return Panel("Moving weights", lines, log="y")


@torch.no_grad()
def drawn(trainings: Sequence[Training], options: Options) -> Picture:
    """Digits that were not trained on, over what each model makes of them."""
    found = data.load(options.data, options.quick)
    x = pixels(found.x_test[np.linspace(0, len(found.x_test) - 1, SHOWN).astype(int)])
    rows = [x, *(training.learner.model(x)[1] for training in trainings)]
    return Picture("Test digits, and as each way draws them", torch.stack(rows).squeeze(2).clamp(0, 1).numpy())
