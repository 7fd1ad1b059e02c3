"""torch's and Keras's ReduceLROnPlateau."""

from collections.abc import Callable
from typing import Any

from gradstep.convert.peer import CALLABLE
from gradstep.feedback.plateau import Plateau


def from_plateau(peer: Any, lr: float) -> Plateau:
    """The `Plateau` with the settings of torch's scheduler or Keras's callback ReduceLROnPlateau.

    It starts from the beginning: the counts of the other object are not copied. It differs where `Plateau`
    intentionally does (negative metrics, NaN, reductions below torch's eps).

    Args:
        peer: torch's scheduler or Keras's callback. A Keras mode of "auto" must be "min" or "max", unless it monitors a
            loss.
        lr: the rate before any reduction. Their bound is a rate, that of a Plateau a fraction of the rate that it
            multiplies.

    Raises:
        TypeError: it is anything else.
        ValueError: the groups have different bounds, or the mode is not known.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    >>> peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, min_lr=0.0125)
    >>> plateau = from_plateau(peer, lr=0.1)
    >>> [plateau.update(loss) for loss in (1.0, 1.0, 1.0)], plateau.floor
    ([1.0, 1.0, 0.5], 0.125)
    """
    kind = f"{type(peer).__module__.partition('.')[0]}.{type(peer).__name__}"
    if kind not in READERS:
        raise TypeError(f"{peer!r}, a {kind}, is none of {', '.join(READERS)}; for a schedule of t use {CALLABLE}")
    return READERS[kind](peer, lr)


def torch_plateau(peer: Any, lr: float) -> Plateau:
    if len(set(peer.min_lrs)) > 1:
        raise ValueError(
            f"min_lr is {peer.min_lrs}: a Plateau multiplies the rates of all groups alike; set one min_lr"
        )
    return Plateau(
        factor=float(peer.factor),
        patience=peer.patience,
        mode=peer.mode,
        threshold=float(peer.threshold),
        threshold_mode=peer.threshold_mode,
        cooldown=peer.cooldown,
        floor=float(peer.min_lrs[0]) / lr,
    )


def keras_plateau(peer: Any, lr: float) -> Plateau:
    loss = peer.mode == "auto" and peer.monitor.removeprefix("val_") == "loss"
    if peer.mode == "auto" and not loss:
        raise ValueError(
            f"mode is 'auto' and monitor is {peer.monitor!r}: say whether it should rise or fall, as in mode='max'"
        )
    return Plateau(
        factor=float(peer.factor),
        patience=peer.patience,
        mode="min" if loss else peer.mode,
        threshold=abs(float(peer.min_delta)),
        threshold_mode="abs",
        cooldown=peer.cooldown,
        floor=float(peer.min_lr) / lr,
        rule="keras",
    )


READERS: dict[str, Callable[[Any, float], Plateau]] = {
    "torch.ReduceLROnPlateau": torch_plateau,
    "keras.ReduceLROnPlateau": keras_plateau,
}
