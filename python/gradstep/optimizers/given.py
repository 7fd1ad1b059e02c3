"""Reading of an optimizer's arguments: refusal of objects that are not parameters, and names of arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gradstep.interop.caller import warn_caller
from gradstep.interop.scalars import shown
from gradstep.rules.hyperparameters import Group

__all__ = [
    "NAMES",
    "gradients_by_name",
    "list_parameters",
    "name_parameters",
    "refuse_immutable",
    "refuse_same_names",
    "warn_of_used_up",
]

NAMES = "param_names"
"""The key of the names of a group's parameters, as in torch.optim."""

#: the packages whose arrays never change in place
_IMMUTABLE = {"jax": "jax.numpy.asarray", "jaxlib": "jax.numpy.asarray", "tensorflow": "tensorflow.convert_to_tensor"}


def list_parameters(params: Any) -> Any:
    """The parameters or groups that a constructor is given; an iterator becomes a list.

    Raises:
        TypeError: it is a model or a function.
        ValueError: it is an empty iterator.
    """
    if callable(getattr(params, "parameters", None)):
        raise TypeError(
            f"params is a {type(params).__name__}: pass what it trains, gradstep.optim.Adam(model.parameters(), ...)"
        )
    if callable(params) and not isinstance(params, Iterable):
        raise TypeError(f"params is a {type(params).__name__}: call it, as in model.parameters()")
    if isinstance(params, str):
        raise TypeError(f"params is the text {shown(params)}: pass a list of arrays or tensors")
    if not isinstance(params, Iterator):
        return params
    listed = list(params)
    if not listed:
        raise ValueError(
            "optimizer got an empty parameter list: pass the arrays to update; a generator such as model.parameters() "
            "can be used once, call it again or keep list(model.parameters())"
        )
    return listed


def warn_of_used_up(given: Group, group: Group) -> None:
    """Warn of a group without parameters whose iterator gave none. An empty list is meant: hosts have such groups."""
    if not group["params"] and isinstance(given.get("params"), Iterator):
        warn_caller(
            "a parameter group is empty, its generator was used up before: call model.parameters() again, or keep "
            "list(model.parameters())"
        )


def name_parameters(group: Group) -> Group:
    """A group whose ``params`` is a dict of arrays by their names, with a list of each; others as they are.

    Raises:
        TypeError: a name is not a string.
    """
    params = group["params"]
    if not isinstance(params, Mapping):
        return group
    if wrong := [name for name in params if not isinstance(name, str)]:
        raise TypeError(f"the parameters have the name {shown(wrong[0])}: a name must be a text, such as 'w'")
    return {**group, "params": list(params.values()), NAMES: list(params)}


def refuse_same_names(groups: Iterable[Group]) -> None:
    """Raise ValueError if two parameters have the same name."""
    counts = Counter(name for group in groups for name in group.get(NAMES, ()))
    if several := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"several parameters are named {several[0]!r}: give each a name of its own")


def gradients_by_name(gradients: Mapping[str, Any], groups: list[Group]) -> list[Any]:
    """The gradients in the order of the parameters.

    Raises:
        TypeError: parameters have no names.
        ValueError: the names are not those of the parameters.
    """
    if not all(NAMES in group for group in groups):
        raise TypeError(
            "the gradients have names and the parameters have none: make the optimizer over a dict of arrays too, or "
            "pass the gradients as a list"
        )
    names = [name for group in groups for name in group[NAMES]]
    lacking = [name for name in names if name not in gradients]
    unknown = [name for name in gradients if name not in set(names)]
    if lacking or unknown:
        found = [f"no gradient for {', '.join(map(repr, lacking))}"] if lacking else []
        found += [f"gradients for {', '.join(map(repr, unknown))}, which are no parameters"] if unknown else []
        raise ValueError(
            f"step got {' and '.join(found)}: pass one, or None, for each of {', '.join(map(repr, names))}"
        )
    return [gradients[name] for name in names]


def refuse_immutable(arrays: Iterable[Any]) -> None:
    """Raise TypeError for a parameter of a library whose arrays never change in place."""
    for i, array in enumerate(arrays):
        package = type(array).__module__.partition(".")[0]
        if package in _IMMUTABLE:
            raise TypeError(
                f"parameter {i} is an array of {package.removesuffix('lib')}, which never changes in place: pass "
                f"w = numpy.array(x), and {_IMMUTABLE[package]}(w) to what reads it; gradients may be of any library"
            )
