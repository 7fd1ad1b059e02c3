"""Lion and Signum as one writes them with torch's operations: peers for the rules that torch has not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

__all__ = ["Lion", "Signum"]


class _Plain(torch.optim.Optimizer):
    """A rule with one buffer, which starts at zero."""

    def __init__(self, params: Iterable[Any], **settings: Any) -> None:
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["m"] = torch.zeros_like(p)
                self.update(group, p, p.grad, state["m"])

    def update(self, group: dict[str, Any], p: torch.Tensor, g: torch.Tensor, m: torch.Tensor) -> None:
        """Update one parameter and its buffer."""
        raise AttributeError("a rule says how it updates")


class Lion(_Plain):
    def __init__(self, params: Iterable[Any], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__(params, lr=lr, betas=betas)

    def update(self, group: dict[str, Any], p: torch.Tensor, g: torch.Tensor, m: torch.Tensor) -> None:
        beta1, beta2 = group["betas"]
        p.add_(torch.lerp(m, g, 1 - beta1).sign_(), alpha=-group["lr"])
        m.lerp_(g, 1 - beta2)


class Signum(_Plain):
    def __init__(self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0.9) -> None:
        super().__init__(params, lr=lr, momentum=momentum)

    def update(self, group: dict[str, Any], p: torch.Tensor, g: torch.Tensor, m: torch.Tensor) -> None:
        m.lerp_(g, 1 - group["momentum"])
        p.add_(m.sign(), alpha=-group["lr"])
