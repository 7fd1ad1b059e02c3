"""The annotations of a rule's hyper-parameters, each with its limits.

A rule declares its hyper-parameters as a dataclass does, in the order of its ``__init__``, keyword-only ones after
``_: KW_ONLY``::

    lr: Rate = 1e-3
    betas: Betas = (0.9, 0.999)
    amsgrad: Switch = False

Schedules and the core use a separate name for each number of a tuple.
"""

import inspect
import math
from collections.abc import Iterator
from dataclasses import KW_ONLY, replace
from typing import Annotated, Any, NamedTuple, TypeAlias, get_args

from gradstep.rules.hyperparameters import Hyperparameter
from gradstep.schedules import rate

__all__ = [
    "Betas",
    "Decay",
    "Epsilon",
    "Field",
    "Finite",
    "Fraction",
    "Momentum",
    "NotNegative",
    "Number",
    "OptionalFraction",
    "OptionalPositive",
    "Positive",
    "Rate",
    "Switch",
    "ThreeBetas",
    "beta",
    "declared_fields",
    "places_of",
]

Number: TypeAlias = rate.Rate

_SWITCH = "switch"


class Field(NamedTuple):
    """A hyper-parameter of a rule: an argument of its ``__init__`` and a key of its groups."""

    type: Any
    default: Any
    places: dict[str, Hyperparameter]  #: its numbers by their names; empty for a switch
    keyword_only: bool

    @property
    def is_switch(self) -> bool:
        return not self.places


def beta(index: int, length: int = 2, includes_low: bool = True) -> Hyperparameter:
    """One of the betas, from 0 to below 1."""
    label = f"beta parameter at index {index}"
    name = f"beta{index + 1}"
    return Hyperparameter("", index, length, high=1.0, includes_low=includes_low, label=label, name=name)


def places_of(name: str, annotation: Any) -> dict[str, Hyperparameter]:
    """The numbers that an annotation declares of a hyper-parameter, by their names."""
    declared = [each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Hyperparameter)]
    places = [replace(each, key=name, name=each.name or name) for each in declared]
    return {place.name: place for place in places}


def declared_fields(rule: type[Any]) -> Iterator[tuple[str, Field]]:
    """The hyper-parameters that the body of a class declares, in its order.

    Raises:
        TypeError: one has no default.
    """
    keyword_only = False
    for name, annotation in inspect.get_annotations(rule).items():
        keyword_only = keyword_only or annotation is KW_ONLY
        places = places_of(name, annotation)
        if not places and _SWITCH not in getattr(annotation, "__metadata__", ()):
            continue
        if name not in vars(rule):
            raise TypeError(f"{rule.__name__}.{name} has no default: every hyper-parameter has one")
        yield name, Field(get_args(annotation)[0], vars(rule)[name], places, keyword_only)


Switch = Annotated[bool, _SWITCH]
Rate = Annotated[Number, Hyperparameter(label="learning rate")]
Decay = Annotated[Number, Hyperparameter()]
Epsilon = Annotated[Number, Hyperparameter(label="epsilon value")]
#: the host must know it: without momentum there is no buffer
Momentum = Annotated[Number, Hyperparameter(chooses_kernel=True)]
Finite = Annotated[Number, Hyperparameter(low=-math.inf, includes_low=False)]
NotNegative = Annotated[Number, Hyperparameter()]
Positive = Annotated[Number, Hyperparameter(includes_low=False)]
OptionalPositive = Annotated[Number | None, Hyperparameter(includes_low=False)]
Fraction = Annotated[Number, Hyperparameter(high=1.0)]
OptionalFraction = Annotated[Number | None, Hyperparameter(high=1.0)]
Betas = Annotated[tuple[Number, Number], beta(0), beta(1)]
ThreeBetas = Annotated[tuple[Number, Number, Number], beta(0, 3), beta(1, 3), beta(2, 3)]
