"""Logging of an optimizer's steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gradstep.interop.scalars import read_float
from gradstep.logs.measurement import Measurement
from gradstep.logs.sinks import Sink
from gradstep.logs.updates import Watch

__all__ = ["StepLog"]

_OWN = {"step", "rate", "gradient_norm", "update_norm", "skipped_steps"}


class StepLog:
    """Writes the rate, the norms of gradient and update, and the count of skipped steps, every so many steps.

    Wrap the step in a context::

        with log.step():                 # log.step(gradients) for an optimizer over arrays
            scaler.step(optimizer)

    These values are written with the number of the step, which starts at 0:

    - ``rate``: the learning rate of this step (``rate/0``, ``rate/1``, ... if there are several groups);
    - ``gradient_norm``: the norm of all gradients, without a GradScaler's scale;
    - ``update_norm``: the norm of the change of all parameters;
    - ``skipped_steps``: the steps so far without an update, because a GradScaler skipped them or there was no gradient.
      These are counted in every step.

    Both norms are Euclidean, over all groups, in float64, and computed only in steps that are written: by gradstep's
    optimizers during the step, as for ``stats()``; for torch's optimizers the parameters are copied before it. For an
    optimizer that accumulates, the n steps over its micro-batches count as one. With ``release=True`` wrap the backward
    pass too, because it makes the updates.

    Args:
        optimizer: an optimizer of ``gradstep``, ``gradstep.optim`` or ``torch.optim``.
        sinks: the destinations, see :mod:`gradstep.logs.sinks`.
        every: only steps whose number is a multiple of this are written. Default 1.

    Raises:
        ValueError: ``every`` is not a whole number, 1 or more.
    """

    def __init__(self, optimizer: Any, *sinks: Sink, every: int = 1) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"every is {every!r}: it counts steps and must be a whole number, 1 or more")
        self.optimizer = optimizer
        self.sinks = sinks
        self.every = every
        self.steps = 0
        self.skipped = 0
        self._added: dict[str, float] = {}

    def __repr__(self) -> str:
        given = ", ".join([type(self.optimizer).__name__, *map(repr, self.sinks)])
        every = f", every={self.every}" if self.every != 1 else ""
        return f"StepLog({given}{every}; {self.steps} steps, {self.skipped} skipped)"

    def add(self, **numbers: Any) -> None:
        """Add numbers of your own to the row of the step that is being made, or of the next one.

        Args:
            numbers: each a number or an array of one number, such as the loss. They are read only where the row is
                written. A sink with fixed columns, as :class:`~gradstep.logs.CsvSink`, needs the same ones in each row.

        Raises:
            TypeError, ValueError: one is no number, or its name is one that the log writes; nothing has been added.
        """
        if taken := [name for name in numbers if name in _OWN or name.startswith("rate/")]:
            raise ValueError(f"{taken[0]} is a number that the log writes itself: give yours another name")
        if not self.steps % self.every:
            self._added |= {name: read_float(value, name) for name, value in numbers.items()}

    @contextmanager
    def step(self, gradients: Sequence[Any] | Mapping[str, Any] | None = None, **numbers: Any) -> Iterator[None]:
        """Log the step that is made inside. If it raises, it is neither counted nor written.

        Args:
            gradients: the gradients that an optimizer over arrays is given; torch parameters have theirs in ``.grad``.
            numbers: numbers of your own for the row, as for :meth:`add`: ``log.step(loss=loss)``.

        Raises:
            TypeError: the optimizer is over arrays and there are no gradients; no step has been made.
            TypeError, ValueError: a number can't be added; no step has been made.
        """
        self.add(**numbers)
        listed = self.optimizer.listed_gradients(gradients) if isinstance(gradients, Mapping) else gradients
        if gradients is None and isinstance(self.optimizer.state, list):
            raise TypeError("this optimizer is over arrays: pass the gradients of its step, log.step(gradients)")
        watch = Watch(self.optimizer, listed)
        measurement = None if self.steps % self.every else Measurement(self.optimizer)
        try:
            yield
            if getattr(self.optimizer, "accumulated", 0):
                return
            updated = watch.has_moved()
            self.skipped += not updated
            if measurement:
                measured = measurement.finish(listed, updated)
                values = {**measured, "skipped_steps": self.skipped, **self._added}
                for sink in self.sinks:
                    sink.write(self.steps, values)
            self.steps += 1
            self._added = {}
        except BaseException:
            self._added = {}
            raise
        finally:
            if measurement:
                measurement.end()

    def close(self) -> None:
        """Close the sinks."""
        for sink in self.sinks:
            sink.close()

    def state_dict(self) -> dict[str, int]:
        """The counts, with which a resumed run continues."""
        return {"steps": self.steps, "skipped": self.skipped}

    def load_state_dict(self, state_dict: Mapping[str, int]) -> None:
        """Go on from a ``state_dict``."""
        self.steps, self.skipped = state_dict["steps"], state_dict["skipped"]
