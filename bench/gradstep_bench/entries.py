"""The timed operations: a step, or more, of one contestant on separate tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch

import gradstep
from gradstep import _core
from gradstep_bench.cases import Case
from gradstep_bench.rules import Rule

__all__ = ["Entry", "Step", "Sweep", "Trial", "bytes_of", "yardstick"]

#: for each tensor the arrays that are read and written, and those that are only read
Sweep = list[tuple[list[torch.Tensor], list[torch.Tensor]]]


@dataclass(frozen=True)
class Entry:
    """One contestant in a race."""

    call: Callable[[], object]  # the timed operation
    results: Callable[[], list[torch.Tensor]]  # the arrays that it changes, which must be the same for all contestants
    sweeps: Callable[[], list[Sweep]] = list  # the memory that a call of gradstep's must cross, known after the first


class Trial(Protocol):
    """A case and the operation that is timed on it."""

    @property
    def case(self) -> Case: ...
    @property
    def rule(self) -> str: ...
    @property
    def exact(self) -> str:
        """The contestant whose results are the exact ones, in float64."""
        ...

    def enter(self, contestant: str, params: list[torch.Tensor]) -> Entry:
        """A contestant with these parameters and their gradients."""
        ...


class Step:
    """The step alone: the gradients stay as they are, so that nothing but ``step()`` runs between two readings."""

    def __init__(self, case: Case, rule: Rule) -> None:
        self.case, self._rule = case, rule
        self.rule, self.exact = rule.name, rule.peers[0]

    def enter(self, contestant: str, params: list[torch.Tensor]) -> Entry:
        optimizer = self._rule.optimizer(contestant, params)
        return Entry(optimizer.step, lambda: params, partial(self._sweeps, optimizer))

    def _sweeps(self, optimizer: Any) -> list[Sweep]:
        group = optimizer.param_groups[0]
        kernel = optimizer.kernel(group)
        facts = _core.rules()[kernel.rule]
        before, update = Sweep(), Sweep()
        for p in group["params"]:
            states = [optimizer.state[p][name] for name in kernel.arrays]
            read = [states[i] for i in facts.states_read_before]
            before.append(([], [p.grad, *([p] if facts.reads_parameter_before else []), *read]))
            update.append(([p, *states], [p.grad]))
        return [before, update] if facts.has_pass_before else [update]


def yardstick(sweeps: Sequence[Sweep]) -> Callable[[], object]:
    """The read-modify-write loop over these sweeps, one after the other."""
    loops, threads = [_core.ReadModifyWrite(sweep) for sweep in sweeps], gradstep.get_num_threads()

    def run() -> None:
        for loop in loops:
            loop.run(threads)

    return run


def bytes_of(sweeps: Sequence[Sweep]) -> int:
    """The bytes that are read and written."""
    return sum(2 * _total(written) + _total(read) for sweep in sweeps for written, read in sweep)


def _total(arrays: Sequence[torch.Tensor]) -> int:
    return sum(array.nbytes for array in arrays)
