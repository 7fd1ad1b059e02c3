"""The runs whose checkpoints are kept as golden files: each class, and each option that adds to states or groups.

Gradients are small multiples of 1/4, exact in every dtype and the same on every machine.
"""

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

import gradstep as gs
from gradstep import rules

SHAPES = ((5,), (2, 3))
DTYPES = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
#: updates (or micro-batches) before the checkpoint, and after it
BEFORE, AFTER = 4, 4
DECAY = gs.Linear(0.1, 0.02, 6)


DEFAULTS: dict[str, Any] = {}


class Run(NamedTuple):
    name: str
    optimizer: str
    options: dict[str, Any] = DEFAULTS
    groups: tuple[dict[str, Any], ...] = ({"params": (0, 1)},)  #: parameters by number
    dtype: str = "f32"
    feedback: Any = None  #: makes a Plateau or an Explore
    sparse: bool = False
    evaluates: bool = False
    infinite_at: int | None = None
    attached: bool = False  #: to an optimizer of torch

    def __str__(self) -> str:
        return self.name


def plateau() -> Any:
    return gs.Plateau(factor=0.5, patience=1)


def explore() -> Any:
    return gs.Explore(found=0.5, stuck=2.0, patience=1)


def attached(optimizer: Any) -> Any:
    return gs.attach(optimizer, lr=DECAY)


VARIANTS = [
    ("SGD", {"lr": 0.2, "momentum": 0.8, "dampening": 0.25}),
    ("SGD", {"lr": 0.2, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}),
    ("Adagrad", {"lr": 0.2, "lr_decay": 0.1, "initial_accumulator_value": 0.25}),
    ("RMSprop", {"lr": 0.03, "momentum": 0.7}),
    ("RMSprop", {"lr": 0.03, "centered": True}),
    ("RMSprop", {"lr": 0.03, "momentum": 0.7, "centered": True}),
    ("Adam", {"lr": 0.03, "amsgrad": True}),
    ("AdamW", {"lr": 0.03, "amsgrad": True}),
    ("ASGD", {"lr": 0.05, "lambd": 0.02, "alpha": 0.6, "t0": 3.0}),
    ("AdEMAMix", {"lr": 0.03, "alpha_warmup": 4, "beta3_warmup": 7}),
    ("Adan", {"lr": 0.03, "no_prox": True}),
    ("ScheduleFreeSGD", {"lr": 0.2, "momentum": 0.8, "r": 0.5}),
    ("LARS", {"lr": 0.2, "momentum": 0.8, "nesterov": True}),
    ("LARS", {"lr": 0.2, "momentum": 0.0, "trust_clip": True}),
    ("Prodigy", {"d0": 0.02, "bias_correction": True, "safeguard_warmup": True}),
]

OPTIONS = [
    Run("ema", "Adam", {"lr": 0.1, "ema": 0.75}),
    Run("ema_bias_correction", "SGD", {"lr": 0.1, "ema": 0.75, "ema_bias_correction": True}),
    Run("ema of bf16", "Adam", {"lr": 0.1, "ema": 0.75}, dtype="bf16"),
    Run("cast_to f16", "Adam", {"lr": 0.1, "cast_to": "f16"}),
    Run("cast_to bf16", "SGD", {"lr": 0.1, "momentum": 0.5, "cast_to": "bf16"}),
    Run("accumulate", "Adam", {"lr": 0.1, "accumulate": 3}),
    Run("accumulate in f16", "Adam", {"lr": 0.1, "accumulate": 3}, dtype="f16"),
    Run("clip_lagged", "SGD", {"lr": 0.1, "clip_norm": 1.0, "clip_lagged": True}),
    Run("clip_norm and clip_value", "SGD", {"lr": 0.1, "clip_norm": 1.5, "clip_value": 0.5, "clip_scope": "group"}),
    Run("lr", "Adam", {"lr": gs.CosineDecay(0.1, 6).warmup(2)}),
    Run("tuples", "Adam", {"lr": DECAY, "betas": (gs.Linear(0.5, 0.9, 6), 0.99), "weight_decay": DECAY}),
    Run("etas", "Rprop", {"lr": 0.05, "etas": (0.5, gs.Linear(1.2, 1.4, 6))}),
    Run("options", "SGD", {"lr": 0.1, "clip_norm": gs.Linear(2, 1, 6), "ema": gs.Linear(0.5, 0.9, 6)}),
    Run("Plateau", "Adam", {"lr": DECAY}, feedback=plateau),
    Run("Plateau over a number", "SGD", {"lr": 0.1, "momentum": 0.5}, feedback=plateau),
    Run("Plateau over groups", "SGD", {"lr": 0.1}, ({"params": (0,)}, {"params": (1,), "lr": DECAY}), feedback=plateau),
    Run("Explore", "Lion", {"lr": DECAY}, feedback=explore),
    Run("state_dtype bf16", "Adam", {"lr": 0.1, "state_dtype": "param"}, dtype="bf16"),
    Run("state_dtype f16", "NAdam", {"lr": 0.1, "state_dtype": "param"}, dtype="f16"),
    Run("f64", "ASGD", dtype="f64"),
    Run("bf16", "NAdam", dtype="bf16"),
    Run("f16", "Prodigy", dtype="f16"),
    Run("evaluated SGD", "ScheduleFreeSGD", {"lr": DECAY}, evaluates=True),
    Run("evaluated AdamW", "ScheduleFreeAdamW", {"lr": 0.1, "weight_decay": 0.1}, evaluates=True),
    Run("lazy_rows", "Adam", {"lr": DECAY, "lazy_rows": True}, sparse=True),
    Run("resting rows", "SparseAdam", {"lr": 0.1}, sparse=True),
    Run(
        "groups",
        "AdamW",
        {"lr": 0.1, "maximize": True},
        ({"params": (0,), "lr": DECAY, "name": "first"}, {"params": (1,), "weight_decay": 0.25, "amsgrad": True}),
    ),
    Run("decay", "SGD", {"lr": DECAY, "weight_decay": 0.1, "decoupled_weight_decay": "full", "peak_lr": 0.1}),
    Run("cautious", "AdamW", {"lr": 0.1, "weight_decay": 0.25, "cautious": True}),
    Run("skip_nonfinite", "Adam", {"lr": DECAY, "skip_nonfinite": True}, infinite_at=2),
]
RUNS = [
    *(Run(name, name) for name in rules.ALL),
    *(Run(f"{name} {' '.join(sorted(hyper))}", name, hyper) for name, hyper in VARIANTS),
    *OPTIONS,
]
TENSOR_RUNS = [
    *RUNS,
    Run("release", "Adam", {"lr": DECAY, "release": True}),
    Run("attached", "SGD", {"lr": 0.1, "momentum": 0.5}, feedback=plateau, attached=True),
]


def numbers(seed: int, shape: tuple[int, ...], dtype: str) -> Any:
    count = int(np.prod(shape))
    values = [((7 * seed + 5 * i) % 13 - 6) / 4 for i in range(count)]
    return np.array(values, np.float32).reshape(shape).astype(DTYPES[dtype])


class OverArrays:
    """A run over NumPy arrays, from its beginning or with an optimizer that is already made."""

    def __init__(self, run: Run, parts: dict[str, Any] | None = None) -> None:
        self.run = run
        self.parts = self._begin() if parts is None else parts
        self.optimizer = self.parts["optimizer"]
        self.params = [p for group in self.optimizer.param_groups for p in group["params"]]

    def _begin(self) -> dict[str, Any]:
        run = self.run
        params = [self.parameter(numbers(i, shape, run.dtype)) for i, shape in enumerate(SHAPES)]
        groups = [{**group, "params": [params[i] for i in group["params"]]} for group in run.groups]
        parts = {"optimizer": self.make(groups)}
        if run.attached:
            parts["driver"] = attached(parts["optimizer"])
        if run.feedback:
            parts["feedback"] = run.feedback()
        return parts

    def make(self, groups: Any) -> Any:
        return getattr(gs, self.run.optimizer)(groups, **self.run.options)

    def parameter(self, array: Any) -> Any:
        return array

    def values(self) -> list[Any]:
        return [array.copy() for array in self.params]

    def states(self) -> list[dict[str, Any]]:
        return [dict(state) for state in self.optimizer.state]

    def fill(self, arrays: list[Any]) -> None:
        for param, array in zip(self.params, arrays, strict=True):
            param[...] = array

    def train(self, times: range) -> "OverArrays":
        if self.run.evaluates:
            self.optimizer.train()
        for t in times:
            gradients = [self.gradient(t, i, shape) for i, shape in enumerate(SHAPES)]
            if t == self.run.infinite_at:
                gradients[0][0] = np.inf
            self.step(gradients)
            if "driver" in self.parts:
                self.parts["driver"].step()
            if "feedback" in self.parts:
                self.parts["feedback"].step(1.0, self.parts.get("driver", self.optimizer))
        if self.run.evaluates:
            self.optimizer.eval()
        return self

    def gradient(self, t: int, i: int, shape: tuple[int, ...]) -> Any:
        dense = numbers(10 * t + i + 3, shape, self.run.dtype)
        row = np.array([t % shape[0]])
        return self.rows(row, dense[row], shape) if self.run.sparse else dense

    def rows(self, indices: Any, values: Any, shape: tuple[int, ...]) -> Any:
        return gs.Rows(indices, values)

    def step(self, gradients: list[Any]) -> None:
        self.optimizer.step(gradients)


class OverTensors(OverArrays):
    """The same over parameters of torch."""

    def make(self, groups: Any) -> Any:
        import torch

        from gradstep import optim

        return getattr(torch.optim if self.run.attached else optim, self.run.optimizer)(groups, **self.run.options)

    def parameter(self, array: Any) -> Any:
        import torch

        return torch.nn.Parameter(self.tensor(array))

    def tensor(self, array: Any) -> Any:
        import torch

        wide = torch.from_numpy(array.astype(np.float64))  # torch can't read bf16 of ml_dtypes
        return wide.to(
            {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[self.run.dtype]
        )

    def rows(self, indices: Any, values: Any, shape: tuple[int, ...]) -> Any:
        import torch

        return torch.sparse_coo_tensor(
            torch.from_numpy(indices)[None], self.tensor(values), shape, check_invariants=True
        )

    def values(self) -> list[Any]:
        return [as_array(param) for param in self.params]

    def states(self) -> list[dict[str, Any]]:
        states = (self.optimizer.state.get(param, {}) for param in self.params)
        return [{name: as_array(value) for name, value in state.items() if value is not None} for state in states]

    def fill(self, arrays: list[Any]) -> None:
        import torch

        for param, array in zip(self.params, arrays, strict=True):
            param.data.copy_(torch.from_numpy(array.astype(np.float64)))

    def step(self, gradients: list[Any]) -> None:
        if self.run.options.get("accumulate", 1) > 1:
            self.optimizer.zero_grad()
        for param, gradient in zip(self.params, gradients, strict=True):
            given = gradient if self.run.sparse else self.tensor(gradient)
            if self.run.options.get("release") or self.run.options.get("accumulate", 1) > 1:
                param.backward(given)
            else:
                param.grad = given
        self.optimizer.step()


def as_array(tensor: Any) -> Any:
    import torch

    held = tensor.detach().clone()
    return held.view(torch.int16).numpy().view(ml_dtypes.bfloat16) if held.dtype == torch.bfloat16 else held.numpy()
