from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__version__: str

def targets() -> list[str]: ...
def active_target() -> str: ...
def select_target(name: str) -> None: ...
def rules() -> dict[str, tuple[int, list[str]]]: ...
def hardware_threads() -> int: ...
def thread_source() -> str: ...
def check_parameters(parameters: list[Any]) -> None: ...
def common_device(parameters: list[Any]) -> tuple[int, int]: ...

class DecayKind:
    COUPLED: DecayKind
    DECOUPLED: DecayKind
    FULL: DecayKind
    CORRECTED: DecayKind

class RowPolicy:
    REFUSE: RowPolicy
    REST: RowPolicy
    LAG: RowPolicy

class Surroundings:
    def __init__(self) -> None: ...
    decay: DecayKind
    full_lr: float
    cautious: bool
    maximize: bool
    clip_norm: float
    clip_alone: bool
    clip_value: float
    averages: bool
    corrects_average: bool
    average_decay: float
    copies: bool
    zero_gradient: bool

class GroupSettings:
    def __init__(
        self,
        rule: str,
        hypers: Sequence[float],
        lr: float,
        weight_decay: float,
        around: Surroundings,
        rows: RowPolicy = ...,
    ) -> None: ...

class StepSettings:
    def __init__(self, threads: int) -> None: ...
    threads: int
    unscale: float
    skip: bool
    skip_nonfinite: bool
    measure: bool
    known_norm: float

class StepReport:
    @property
    def measured(self) -> bool: ...
    @property
    def skipped(self) -> bool: ...
    @property
    def gradient_norm(self) -> float: ...
    @property
    def nonfinite(self) -> float: ...
    @property
    def update_norm(self) -> float: ...
    @property
    def parameter_norm(self) -> float: ...

class StateNames:
    def __init__(
        self,
        arrays: Sequence[str],
        numbers: Sequence[str],
        average: str = "",
        average_product: str = "",
        copy: str = "",
    ) -> None: ...

class Plan:
    def __init__(self) -> None: ...
    def bind(self, index: int, state: dict[str, Any], names: StateNames, fresh: bool) -> None: ...
    def step(
        self,
        parameters: list[list[Any]],
        gradients: list[Any] | None,
        states: list[dict[str, Any]] | dict[Any, dict[str, Any]],
        groups: Sequence[GroupSettings],
        settings: StepSettings,
    ) -> list[int]: ...
    def catch_up(self, index: int, rows: npt.NDArray[np.int64] | None, threads: int) -> list[Any]: ...
    def report(self) -> StepReport: ...
    def join_reports(self) -> None: ...
    def skipped(self) -> bool: ...
    def written(self) -> list[Any]: ...
    def gathered(self) -> int: ...

class ReadModifyWrite:
    def __init__(self, tensors: list[tuple[list[Any], list[Any]]]) -> None: ...
    def run(self, threads: int) -> None: ...

class Program:
    def __init__(self, lines: Sequence[tuple[str, Sequence[float]]]) -> None: ...
    def at(self, t: int) -> float: ...
    def evaluate(self, t: npt.NDArray[np.int64], threads: int) -> npt.NDArray[np.float64]: ...

def call_function(name: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
