"""Optimizers that make their states at construction, so that processes can share them before the first step."""

from __future__ import annotations

from gradstep.optimizers.loading import array_names
from gradstep.optimizers.torch import TorchOptimizer

__all__ = ["EagerStates"]


class EagerStates(TorchOptimizer):
    """Makes a parameter's state when the parameter is added, as ``torch.optim.Adagrad``."""

    def share_memory(self) -> None:
        """Move the arrays of state into memory that processes share, as ``torch.optim.Adagrad.share_memory``."""
        self._settle()
        names = array_names(type(self))
        for state in self.state.values():
            for name in names & state.keys():
                state[name].share_memory_()
        self._forget_plan()
