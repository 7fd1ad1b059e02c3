"""Rules that torch lacks, written with torch's operations, tensor by tensor and in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch

__all__ = ["AdEMAMix", "AdamAtan2", "Lion", "Signum", "StableAdamW"]

Group = dict[str, Any]
State = dict[str, torch.Tensor]


class _Plain(torch.optim.Optimizer):
    """A rule with some buffers, which start at zero."""

    buffers: ClassVar[tuple[str, ...]] = ("m",)

    def __init__(self, params: Iterable[Any], **settings: Any) -> None:
        super().__init__(params, {**settings, "t": 0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["t"] += 1
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update({name: torch.zeros_like(p) for name in self.buffers})
                self.update(group, p, p.grad, state)

    def update(self, group: Group, p: torch.Tensor, g: torch.Tensor, state: State) -> None:
        """Update one parameter and its buffers."""
        raise AttributeError("a rule says how it updates")


class Lion(_Plain):
    def __init__(self, params: Iterable[Any], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__(params, lr=lr, betas=betas)

    def update(self, group: Group, p: torch.Tensor, g: torch.Tensor, state: State) -> None:
        beta1, beta2 = group["betas"]
        p.add_(torch.lerp(state["m"], g, 1 - beta1).sign_(), alpha=-group["lr"])
        state["m"].lerp_(g, 1 - beta2)


class Signum(_Plain):
    def __init__(self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0.9) -> None:
        super().__init__(params, lr=lr, momentum=momentum)

    def update(self, group: Group, p: torch.Tensor, g: torch.Tensor, state: State) -> None:
        state["m"].lerp_(g, 1 - group["momentum"])
        p.add_(state["m"].sign(), alpha=-group["lr"])


class AdamAtan2(_Plain):
    buffers = ("m", "v")

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        super().__init__(params, lr=lr, betas=betas)

    def update(self, group: Group, p: torch.Tensor, g: torch.Tensor, state: State) -> None:
        beta1, beta2 = group["betas"]
        m, v = state["m"].lerp_(g, 1 - beta1), state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        root = v.sqrt().mul_((1 - beta1 ** group["t"]) / math.sqrt(1 - beta2 ** group["t"]))
        p.add_(torch.atan2(m, root, out=root), alpha=-1.27 * group["lr"])


class AdEMAMix(_Plain):
    """At the default weight of the slow mean, 5, without its warm-ups."""

    buffers = ("m", "s", "v")

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float, float] = (0.9, 0.999, 0.9999)
    ) -> None:
        super().__init__(params, lr=lr, betas=betas)

    def update(self, group: Group, p: torch.Tensor, g: torch.Tensor, state: State) -> None:
        beta1, beta2, beta3 = group["betas"]
        m, s = state["m"].lerp_(g, 1 - beta1), state["s"].lerp_(g, 1 - beta3)
        v = state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        correction = 1 - beta1 ** group["t"]
        divisor = v.sqrt().div_(math.sqrt(1 - beta2 ** group["t"])).add_(1e-8)
        p.addcdiv_(torch.add(m, s, alpha=5 * correction), divisor, value=-group["lr"] / correction)


class StableAdamW(_Plain):
    """At its default epsilon, 1e-6, and decay, 0.01."""

    buffers = ("m", "v")

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__(params, lr=lr, betas=betas)

    def update(self, group: Group, p: torch.Tensor, g: torch.Tensor, state: State) -> None:
        beta1, beta2 = (beta * (1 - beta ** (group["t"] - 1)) / (1 - beta ** group["t"]) for beta in group["betas"])
        m, v = state["m"].lerp_(g, 1 - beta1), state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        ratio = torch.square(g).div_(v.clamp(min=1e-12)).mean().sqrt().item()
        lr = group["lr"] / max(1.0, ratio)
        p.mul_(1 - lr * 0.01).addcdiv_(m, v.sqrt().add_(1e-6), value=-lr)
