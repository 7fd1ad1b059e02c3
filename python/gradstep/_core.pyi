from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

__version__: str

def targets() -> list[str]: ...
def active_target() -> str: ...
def select_target(name: str) -> None: ...
def rules() -> dict[str, RuleFacts]: ...
def formats() -> list[tuple[str, str, int]]: ...
def hardware_threads() -> int: ...
def thread_source() -> str: ...
def check_parameters(parameters: list[Any]) -> None: ...
def find_sharing(arrays: list[Any], written: list[bool], mates: list[int]) -> tuple[int, int, bool] | None: ...
def common_device(parameters: list[Any]) -> tuple[int, int]: ...
def hand_callables(
    meet_type: Callable[[type[Any]], bool],
    describe: Callable[[Any, str], tuple[Any, ...]],
    read_rows: Callable[[Any, tuple[int, ...], str], tuple[Any, ...] | None],
    current_stream: Callable[[Any, int], int],
    empty_caches: Callable[[], None],
) -> None: ...

class RuleFacts:
    """What the core knows of a rule, as its header in ``cpp/rules`` states it."""

    @property
    def states(self) -> list[str]:
        """The shape of each state: "parameter", "row", "column", "matrix" or "tensor"."""
    @property
    def hypers(self) -> list[str]:
        """The names of its numbers, in their order."""
    @property
    def scope(self) -> str:
        """What an element's update depends on: "element", "tensor" or "all" tensors."""
    @property
    def writes_parameter(self) -> bool:
        """Whether it writes the parameter itself, rather than returning a direction."""
    @property
    def sees_matrix(self) -> bool:
        """Whether the last two dimensions are rows and columns to it."""
    @property
    def has_pass_before(self) -> bool:
        """Whether a pass before the update reads the gradient, and what the next two say."""
    @property
    def reads_parameter_before(self) -> bool: ...
    @property
    def states_read_before(self) -> list[int]: ...
    @property
    def update_bytes(self) -> int:
        """Bytes per element that the update reads and writes, of float32 arrays."""
    @property
    def bytes_before(self) -> int:
        """Bytes per element that the passes before it read."""

class StandaloneOperations:
    def unscale(self, gradients: list[Any], by: float) -> bool: ...
    def norm(self, gradients: list[Any]) -> float: ...
    def clip_norm(self, gradients: list[Any], limit: float, total: float | None) -> float: ...
    def clip_value(self, gradients: list[Any], limit: float) -> None: ...
    def zero(self, gradients: list[Any]) -> None: ...
    def average(self, averages: list[Any], parameters: list[Any], decay: float, product: Any) -> None: ...
    def cast(self, copies: list[Any], parameters: list[Any]) -> None: ...

class HostOperations(StandaloneOperations):
    def __init__(self, threads: int) -> None: ...

class DeviceOperations(StandaloneOperations):
    def __init__(self, engine: Any, device: int) -> None: ...

class DecayKind(Enum):
    COUPLED = ...
    DECOUPLED = ...
    FULL = ...
    CORRECTED = ...

class RowPolicy(Enum):
    REFUSE = ...
    REST = ...
    LAG = ...

class StepOptions:
    def __init__(self) -> None: ...
    decay: DecayKind
    peak_lr: float
    cautious: bool
    maximize: bool
    clip_norm: float
    clip_by_group: bool
    clip_value: float
    has_ema: bool
    ema_bias_correction: bool
    ema: float
    has_cast_to: bool
    zero_grad: bool

class ScalarRef:
    """One float32 or float64 number in an array, where a device reads it."""

class GroupSettings:
    def __init__(
        self,
        rule: str,
        hypers: Sequence[float],
        lr: float,
        weight_decay: float,
        options: StepOptions,
        rows: RowPolicy = ...,
        sources: Sequence[tuple[str, Program | ScalarRef, float]] = ...,
    ) -> None: ...

class StepSettings:
    def __init__(self, threads: int) -> None: ...
    threads: int
    unscale: float
    skip: bool
    skip_nonfinite: bool
    stats: bool
    known_norm: float
    grad_scale: ScalarRef
    found_inf: ScalarRef
    tells_states: bool
    ahead: bool
    joins: bool

class StepReport:
    @property
    def has_stats(self) -> bool: ...
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
        formats: dict[str, str] = ...,
    ) -> None: ...

def holds_items(container: dict[Any, Any], keys: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
    """Whether a dict holds these keys and values in this order: the very objects."""

#: a target, a key and a value: an item of a dict or a list, or an attribute of anything else
Entry = tuple[Any, Any, Any]

#: as a value: takes a dict's item away, stands for the norm that a step finds
REMOVED: object
GRADIENT_NORM: object

def write(entries: Sequence[Entry]) -> None:
    """Write all of the entries, or none where one raises."""

def meet_torch(
    tensor: type[Any], increment_version: Callable[..., None], takes_list: bool, modes: Callable[[], int]
) -> None: ...
def meet_tensor_shim(functions: list[int], handle_offset: int) -> None: ...

class StateBinding:
    def __init__(
        self, index: int, state: dict[str, Any], added: dict[str, Any], names: StateNames, fresh: bool
    ) -> None: ...

#: a plan and its step's parameters, gradients, groups and settings
EarlierStep = tuple[Any, list[list[Any]], list[Any], list[GroupSettings], StepSettings]

class _Tensors:
    def step(
        self,
        parameters: Sequence[Sequence[Any]],
        gradients: Sequence[Any] | None,
        states: list[dict[str, Any]] | dict[Any, dict[str, Any]],
        groups: Sequence[GroupSettings],
        settings: StepSettings,
        bindings: Sequence[StateBinding] = ...,
        updated: Sequence[Entry] = ...,
        skipped: Sequence[Entry] = ...,
        before: EarlierStep | None = ...,
    ) -> list[int]: ...
    def catch_up(self, indices: list[int], rows: npt.NDArray[np.int64] | None, threads: int) -> None: ...
    def report(self) -> StepReport: ...
    def skipped(self) -> bool: ...
    def gathered(self) -> int: ...

class Plan(_Tensors):
    def __init__(self) -> None: ...

class DevicePlan(_Tensors):
    def __init__(self, engine: Any, device: int) -> None: ...
    def start_from(self, updates: int, last_norm: float) -> None: ...
    def updates(self) -> int: ...
    def last_norm(self) -> float: ...
    def not_updated(self) -> list[int]: ...
    def is_capturing(self, parameter: object) -> bool: ...
    def find_scalar(self, number: object) -> ScalarRef | None: ...

class ReadModifyWrite:
    def __init__(self, tensors: list[tuple[list[Any], list[Any]]]) -> None: ...
    def run(self, threads: int) -> None: ...

class DeviceReadModifyWrite:
    def __init__(self, engine: Any, device: int, written: list[Any], read: Any) -> None: ...
    def run(self) -> None: ...

class Program:
    def __init__(self, lines: Sequence[tuple[str, Sequence[float]]]) -> None: ...
    def at(self, t: int) -> float: ...
    def evaluate(self, t: npt.NDArray[np.int64], threads: int) -> npt.NDArray[np.float64]: ...

def call_function(name: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
