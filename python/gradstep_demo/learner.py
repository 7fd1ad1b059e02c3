"""What one update of a training is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from gradstep_demo.contenders import Contender, Library
from gradstep_demo.task import Plan


class Learner(ABC):
    """A model and its optimizers, each under the name of its rate."""

    model: nn.Module
    optimizers: Mapping[str, Contender]

    @abstractmethod
    def update(self, batch: Sequence[Tensor]) -> Mapping[str, float]:
        """Learn from this batch, and return the losses before it by name."""

    @property
    def rates(self) -> dict[str, float]:
        return {name: contender.rate for name, contender in self.optimizers.items()}

    @property
    def step_seconds(self) -> float:
        return sum(contender.seconds for contender in self.optimizers.values())


class Supervised(Learner):
    """One model, one optimizer, one loss of outputs and answers."""

    def __init__(self, plan: Plan, library: Library) -> None:
        self.model = plan.task.build()
        self.optimizer = library.optimizer(plan.settings, self.model, plan.span)
        self.optimizers = {"rate": self.optimizer}
        if plan.task.loss is None:
            raise ValueError("the task has no loss: give it one, or name a learner in the settings")
        self.loss = plan.task.loss
        self.objective = plan.settings.objective or self.loss

    def update(self, batch: Sequence[Tensor]) -> dict[str, float]:
        *inputs, answers = batch
        outputs = self.model(*inputs)
        objective = self.objective(outputs, answers)
        objective.backward()  # type: ignore[no-untyped-call]
        self.optimizer.update()
        same = self.objective is self.loss
        return {"loss": float(objective.detach() if same else self.loss(outputs.detach(), answers))}
