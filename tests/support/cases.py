"""The optimizers that every test goes through: each rule at values that are neither defaults nor zero, and at
its defaults. A new rule is tested everywhere by a line here and a function in reference.py.
"""

from typing import Any, NamedTuple

import numpy as np

import gradstep
from gradstep import _core, rules
from support import rules_of_tests


class Case(NamedTuple):
    name: str
    hyper: dict[str, Any]

    def __str__(self) -> str:
        flags = [key for key in ("momentum", "centered", "nesterov", "amsgrad", "no_prox") if self.hyper.get(key)]
        return "-".join([self.name, *flags] if self.hyper else [self.name, "defaults"])

    def over(self, arrays, **options):
        """The optimizer over NumPy arrays."""
        return getattr(gradstep, self.name)(arrays, **{**self.hyper, **options})

    def over_tensors(self, tensors, **options):
        from gradstep import optim

        return getattr(optim, self.name)(tensors, **{**self.hyper, **options})

    def group(self, **options) -> dict[str, Any]:
        """Every hyper-parameter of the class, as given here or by default."""
        made = self.over([np.zeros(1, np.float32)], **options).param_groups[0]
        return {key: value for key, value in made.items() if key != "params"}

    @property
    def scope(self) -> str:
        """The extent of the data that an element's update depends on: the element, its tensor or all tensors."""
        return _core.rules()[self.kernel].scope

    @property
    def kernel(self) -> str:
        return getattr(rules, self.name).kernel(self.group()).rule


LARS = {"lr": 0.2, "weight_decay": 0.05, "trust_coeff": 0.3, "eps": 1e-2}
PRODIGY = {
    "lr": 0.7,
    "betas": (0.8, 0.95),
    "beta3": 0.9,
    "eps": 1e-3,
    "weight_decay": 0.3,
    "d0": 0.02,
    "d_coef": 1.5,
    "growth_rate": 1.2,
    "safeguard_warmup": True,
}

CASES = [
    Case("SGD", {"lr": 0.3, "weight_decay": 0.07}),
    Case("SGD", {"lr": 0.2, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.05}),
    Case("SGD", {"lr": 0.2, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}),
    Case(
        "Adagrad",
        {"lr": 0.2, "lr_decay": 0.1, "weight_decay": 0.05, "initial_accumulator_value": 0.25, "eps": 1e-3},
    ),
    Case("Adadelta", {"lr": 0.7, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.05}),
    Case("RMSprop", {"lr": 0.03, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.05}),
    Case("RMSprop", {"lr": 0.03, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.05, "momentum": 0.7}),
    Case("RMSprop", {"lr": 0.03, "alpha": 0.7, "eps": 1e-2, "weight_decay": 0.05, "centered": True}),
    Case(
        "RMSprop",
        {"lr": 0.03, "alpha": 0.7, "eps": 1e-2, "weight_decay": 0.05, "momentum": 0.7, "centered": True},
    ),
    Case("Adam", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05}),
    Case("Adam", {"lr": 0.03, "betas": (0.8, 0.6), "eps": 1e-3, "weight_decay": 0.05, "amsgrad": True}),
    Case("SparseAdam", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05}),
    Case("AdamW", {"lr": 0.03, "betas": (0.4, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    Case("AdamW", {"lr": 0.03, "betas": (0.8, 0.6), "eps": 1e-3, "weight_decay": 0.3, "amsgrad": True}),
    Case("Adamax", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-2, "weight_decay": 0.05}),
    Case("NAdam", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05, "momentum_decay": 0.02}),
    Case("RAdam", {"lr": 0.03, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.05}),
    Case("Rprop", {"lr": 0.015625, "etas": (0.4, 1.3), "step_sizes": (1e-2, 0.03), "weight_decay": 0.05}),
    Case("ASGD", {"lr": 0.05, "lambd": 0.02, "alpha": 0.6, "t0": 3.0, "weight_decay": 0.05}),
    Case("Lion", {"lr": 0.02, "betas": (0.8, 0.95), "weight_decay": 0.3}),
    Case("Signum", {"lr": 0.02, "momentum": 0.8, "weight_decay": 0.3}),
    Case("NAdamW", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    Case("AdamAtan2", {"lr": 0.03, "betas": (0.8, 0.95), "weight_decay": 0.3, "a": 1.1, "b": 0.7}),
    Case(
        "AdEMAMix",
        {
            "lr": 0.03,
            "betas": (0.7, 0.95, 0.9),
            "alpha": 3.0,
            "eps": 1e-3,
            "weight_decay": 0.3,
            "alpha_warmup": 4.5,
            "beta3_warmup": 7,
        },
    ),
    Case("ADOPT", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-2, "weight_decay": 0.05}),
    Case("Adan", {"lr": 0.03, "betas": (0.9, 0.7, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    Case("Adan", {"lr": 0.03, "betas": (0.9, 0.7, 0.95), "eps": 1e-3, "weight_decay": 0.3, "no_prox": True}),
    Case("LaProp", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    Case("ScheduleFreeSGD", {"lr": 0.2, "momentum": 0.8, "weight_decay": 0.05, "r": 0.5, "weight_lr_power": 1.5}),
    Case(
        "ScheduleFreeAdamW",
        {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3, "r": 0.5, "weight_lr_power": 1.5},
    ),
    Case(
        "LAMB",
        {
            "lr": 0.03,
            "betas": (0.8, 0.95),
            "eps": 1e-3,
            "weight_decay": 0.3,
            "max_ratio": 0.9,
            "bias_correction": False,
            "grad_averaging": False,
            "always_adapt": False,
        },
    ),
    Case("LARS", {**LARS, "momentum": 0.0, "trust_clip": True}),
    Case("LARS", {**LARS, "momentum": 0.8, "dampening": 0.3, "always_adapt": False}),
    Case("LARS", {**LARS, "momentum": 0.8, "nesterov": True}),
    Case("StableAdamW", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-2, "weight_decay": 0.3}),
    Case("Prodigy", {**PRODIGY, "bias_correction": True}),
]
DEFAULTS = [Case(name, {}) for name in rules.ALL]
ALL_CASES = CASES + DEFAULTS

#: one case for each rule of the core, for tests in which the values of the hyper-parameters don't matter
ONE_EACH = list({case.kernel: case for case in reversed(CASES)}.values())

OPTIONS = [
    {"maximize": maximize, "decoupled_weight_decay": decoupled}
    for maximize in (False, True)
    for decoupled in (False, True)
]

#: the lanes of a register of every target, so that every size around it is there on each
LANES = (2, 4, 8, 16)
SIZES = sorted({0, 1, 4095, 4096, 4097, *(n for w in LANES for n in (w - 1, w, w + 1, 3 * w + 5))})
LARGE = 1_000_003

#: without the names that are not optimizers
CORE_RULES = sorted(set(_core.rules()) - {"interpolation", *rules_of_tests.NAMES})


def torch_cases(cases):
    """The cases whose class torch has too, with the hyper-parameters that torch accepts: its Rprop has no decay.
    SparseAdam is left out, because torch's accepts no dense gradients.
    """
    import torch

    shared = [case for case in cases if hasattr(torch.optim, case.name) and case.name != "SparseAdam"]
    return [
        Case(case.name, {k: v for k, v in case.hyper.items() if case.name != "Rprop" or k != "weight_decay"})
        for case in shared
    ]
