"""The options of every optimizer: the operations before and after the rule in a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict, get_type_hints

from gradstep import _core
from gradstep.interop.arrays import HALVES
from gradstep.interop.scalars import read_float, shown
from gradstep.rules.fields import Number, OptionalPositive, places_of
from gradstep.rules.hyperparameters import Group, Hyperparameter, Places, read_hyperparameter, read_switch, read_unscale

__all__ = [
    "NO_SOURCES",
    "OPTION_DEFAULTS",
    "OPTION_PLACES",
    "Options",
    "Sources",
    "check_options",
    "check_together",
    "step_options",
    "step_settings",
]

DecayKind = Literal["full", "corrected"]

#: hyper-parameters, by name, that a device reads itself: from a schedule's program, or in its memory
Sources = Mapping[str, _core.Program | _core.ScalarRef]
NO_SOURCES: Sources = {}


class Options(TypedDict, total=False):
    r"""The options of every optimizer, by keyword or in a group.

    A step reads each gradient, transforms it in this order, applies the rule and changes the parameter, all in one
    pass. Each operation is rounded separately, so that the result is that of the standalone functions in
    :mod:`gradstep.functional`:

    .. math::
        g &\leftarrow g / s, \quad
        g \leftarrow g \min(1, c / (\lVert g \rVert + 10^{-6})), \quad
        g \leftarrow \min(\max(g, -l), l) \\
        p &\leftarrow (1 - \delta)\, p - \gamma\, u(g), \quad
        a \leftarrow a + (1 - d)(p - a)

    with s the ``grad_scale`` of the step, c ``clip_norm``, l ``clip_value``, u the rule's direction and d ``ema``.

    A complex number is a pair of reals, as in torch: each part is updated separately, and ``clip_norm`` and ``stats``
    count both.

    Args:
        maximize: ascend instead of descending. Default False.
        decoupled_weight_decay: False (the default) adds :math:`\lambda p` to the gradient; True has
            :math:`\delta = \gamma\lambda`; "full" has :math:`\delta = \lambda\gamma/\gamma_{max}`, so that the decay
            does not depend on the size of the rate; "corrected" has :math:`\delta = \lambda\gamma^2/\gamma_{max}`
            (Defazio 2025, arXiv:2506.02285), which keeps the norm of normalised layers steady while the rate falls.
            AdamW and some others have True as their default.
        peak_lr: :math:`\gamma_{max}`, above 0, for "full" and "corrected". Default None.
        cautious: decay only where the update has the parameter's sign, :math:`u p \ge 0` (Chen et al. 2025,
            arXiv:2510.12402); the decay must be decoupled. Default False.
        clip_norm: the largest norm of the gradients, above 0, as in ``torch.nn.utils.clip_grad_norm_``: a number or a
            schedule. Default None, for no limit. If squares of float64 gradients overflow (from 1e154), they are read
            once more; with ``clip_lagged``, in ``stats()`` without ``clip_norm`` and on a device the norm is then
            infinite.
        clip_scope: the gradients of that norm: "all" (the default) for all groups together, "group" for each group.
        clip_lagged: clip by the norm of the previous update, which saves reading the gradients twice; the first update
            is not clipped. Default False.
        clip_value: the largest magnitude of a gradient's element, above 0: a number or a schedule. Default None, for
            no limit.
        skip_nonfinite: make no update if a gradient is infinite or NaN: parameters, states, counts and schedules stay
            unchanged. Default False.
        ema: the decay of an average of each parameter, from 0 to 1: a number or a schedule. The average is in
            ``state["ema"]`` and in ``optimizer.averages``. Default None, for no average.
        ema_bias_correction: start the average at zero and correct its bias. Without it (the default) the average
            starts as the parameter before the first update.
        cast_to: "bf16" or "f16" keeps a copy of the parameter in that dtype in ``state["cast"]``, which every update
            renews; not for complex parameters. Default None, for no copy.
        zero_grad: fill the gradients with zeros after they were used. Default False: they are only read.
        accumulate: the number of micro-batches in an update, which is made with the mean of their gradients, see
            :mod:`gradstep.optimizers.accumulation`. Default 1.
        release: over torch parameters, update each as soon as backward has its gradient, and free the gradient, see
            :mod:`gradstep.optimizers.release`. Default False.
        lazy_rows: treat sparse gradients (:class:`gradstep.Rows`, torch COO tensors) as dense ones with zeros
            elsewhere. The skipped updates of a row are applied when it is next used or in ``catch_up()``; each costs
            the arithmetic of an update, in cache. Default False: only rules that leave such rows unchanged accept them.
        stats: compute statistics of each step for ``optimizer.stats()``. Default False.
        state_dtype: None (the default) keeps states in float32 (float64 for float64 parameters), "param" in the
            parameter's dtype.
        foreach, fused: accepted, as in torch; there is one implementation. With ``fused=False`` torch.amp.GradScaler
            unscales the gradients before the step, so that other code can clip them (Lightning's
            ``gradient_clip_val`` under mixed precision). Default None.
        capturable: accepted; a step on a CUDA device can always be captured, see :mod:`gradstep.interop.devices`.
        differentiable: only False.
    """

    maximize: bool
    decoupled_weight_decay: bool | DecayKind
    peak_lr: Annotated[Number | None, Hyperparameter(includes_low=False, read_once=True)]
    cautious: bool
    clip_norm: OptionalPositive
    clip_scope: Literal["all", "group"]
    clip_lagged: bool
    clip_value: OptionalPositive
    skip_nonfinite: bool
    ema: Annotated[Number | None, Hyperparameter(high=1.0, includes_high=True)]
    ema_bias_correction: bool
    cast_to: Literal["bf16", "f16"] | None
    zero_grad: bool
    accumulate: int
    release: bool
    lazy_rows: bool
    stats: bool
    state_dtype: Literal["param"] | None
    foreach: bool | None
    fused: bool | None
    capturable: bool
    differentiable: bool


OPTION_DEFAULTS: Options = {
    "maximize": False,
    "decoupled_weight_decay": False,
    "peak_lr": None,
    "cautious": False,
    "clip_norm": None,
    "clip_scope": "all",
    "clip_lagged": False,
    "clip_value": None,
    "skip_nonfinite": False,
    "ema": None,
    "ema_bias_correction": False,
    "cast_to": None,
    "zero_grad": False,
    "accumulate": 1,
    "release": False,
    "lazy_rows": False,
    "stats": False,
    "state_dtype": None,
    "foreach": None,
    "fused": None,
    "capturable": False,
    "differentiable": False,
}

#: the numbers among the options, by their names
OPTION_PLACES: Places = {
    name: place
    for key, annotation in get_type_hints(Options, include_extras=True).items()
    for name, place in places_of(key, annotation).items()
}

_DECAYS: Mapping[Any, _core.DecayKind] = {
    False: _core.DecayKind.COUPLED,
    True: _core.DecayKind.DECOUPLED,
    "full": _core.DecayKind.FULL,
    "corrected": _core.DecayKind.CORRECTED,
}
_ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "decoupled_weight_decay": tuple(_DECAYS),
    "clip_scope": ("all", "group"),
    "cast_to": (None, *HALVES),
    "foreach": (None, False, True),
    "fused": (None, False, True),
}
_SWITCHES = tuple(
    name for name, default in OPTION_DEFAULTS.items() if isinstance(default, bool) and name not in _ALLOWED
)
_MOST_MICRO_BATCHES = 2**53  # up to here float64, in which the sum is divided, counts each
_OF_ALL_GROUPS = ("accumulate", "clip_lagged")


def check_options(group: Group, name: str, sources: Sources = NO_SOURCES) -> None:
    """Raise TypeError or ValueError for options that the optimizer ``name`` can't have.

    A number that has one of the ``sources`` is not read.
    """
    if missing := [key for key in OPTION_DEFAULTS if key not in group]:
        raise ValueError(
            f"the group has no {missing[0]!r}: put it back, its default is {OPTION_DEFAULTS[missing[0]]!r}"  # type: ignore[literal-required]
        )
    for key in _SWITCHES:
        read_switch(group, key)
    if group["differentiable"]:
        raise ValueError(
            "differentiable=True is not offered: the update is written in place, outside of autograd; "
            f"use torch.optim.{name} to differentiate through the step"
        )
    if not _is_one_of(group["state_dtype"], (None, "param")):
        raise ValueError(
            f"Invalid state_dtype: {shown(group['state_dtype'])}: pass None for float32 (float64 for float64 "
            "parameters) or 'param' for the parameter's own dtype"
        )
    for key, allowed in _ALLOWED.items():
        if not _is_one_of(group[key], allowed):
            raise ValueError(f"Invalid {key}: {shown(group[key])}: it must be one of {', '.join(map(repr, allowed))}")
    for key, place in OPTION_PLACES.items():
        if group[key] is not None and key not in sources:
            read_hyperparameter(group, key, place)
    if type(group["accumulate"]) is not int or not 1 <= group["accumulate"] <= _MOST_MICRO_BATCHES:
        raise ValueError(
            f"Invalid accumulate: {shown(group['accumulate'])}: it counts micro-batches and must be a whole number "
            "from 1 to 2**53"
        )
    if group["clip_lagged"] and group["clip_scope"] != "all":
        raise ValueError("clip_lagged=True keeps one norm, that of all groups: pass clip_scope='all'")
    if group["cautious"] and not group["decoupled_weight_decay"]:
        raise ValueError("cautious=True needs decoupled decay: pass decoupled_weight_decay=True, 'full' or 'corrected'")
    if group["decoupled_weight_decay"] in ("full", "corrected") and group["peak_lr"] is None:
        raise ValueError(
            f"decoupled_weight_decay={group['decoupled_weight_decay']!r} compares the rate with its largest: pass it "
            "as peak_lr"
        )


def _is_one_of(value: object, allowed: tuple[Any, ...]) -> bool:
    """Whether it equals one of these and has its type: 1 is not True, and arrays are not compared."""
    return isinstance(value, str | bool | None) and any(
        isinstance(value, type(each)) and value == each for each in allowed
    )


def check_together(groups: list[Group]) -> None:
    """Raise ValueError for groups whose options can't be combined."""
    for key in _OF_ALL_GROUPS:
        if len(values := {group[key] for group in groups}) > 1:
            raise ValueError(
                f"{key} is of the whole optimizer, but its groups have {sorted(values)}: give all the same"
            )
    if any(group["release"] for group in groups):
        for group in groups:
            _refuse_beside_release(group)


def _refuse_beside_release(group: Group) -> None:
    if group["clip_norm"] is not None and not group["clip_lagged"]:
        raise ValueError(
            "clip_norm needs the norm of all gradients before the first update, and release=True has no two of them at "
            "once: pass clip_lagged=True, to clip by the norm of the update before, or clip_value"
        )
    if group["skip_nonfinite"]:
        raise ValueError(
            "skip_nonfinite=True looks at all gradients before the first update, and release=True has no two of them "
            "at once: leave one of them out"
        )
    if group["accumulate"] > 1:
        raise ValueError(
            "accumulate sums gradients over several backward passes, and release=True frees them in each: leave one "
            "of them out"
        )


def step_options(group: Group, sources: Sources = NO_SOURCES) -> _core.StepOptions:
    """Check a group's options and convert them for the core."""

    def read(name: str, otherwise: float) -> float:
        if isinstance(sources.get(name), _core.ScalarRef):
            return 1.0  # any number: the device reads the real one
        return otherwise if group[name] is None else read_hyperparameter(group, name, OPTION_PLACES[name])

    options = _core.StepOptions()
    options.maximize = bool(group["maximize"])
    options.decay = _DECAYS[group["decoupled_weight_decay"]]
    options.peak_lr = read("peak_lr", 1.0)
    options.cautious = bool(group["cautious"])
    options.clip_norm = read("clip_norm", options.clip_norm)
    options.clip_by_group = group["clip_scope"] == "group"
    options.clip_value = read("clip_value", options.clip_value)
    options.has_ema = group["ema"] is not None
    options.ema = read("ema", 0.0)
    options.ema_bias_correction = options.has_ema and bool(group["ema_bias_correction"])
    options.has_cast_to = group["cast_to"] is not None
    options.zero_grad = bool(group["zero_grad"]) or group["accumulate"] > 1  # the sum is used up
    return options


def step_settings(
    groups: list[Group], threads: int, grad_scale: object = None, found_inf: object = None
) -> _core.StepSettings:
    """The settings of a step over these groups.

    Raises:
        TypeError, ValueError: ``grad_scale`` or ``found_inf`` is not a number, or the scale is not above 0.
    """
    settings = _core.StepSettings(threads)
    lagged = groups[0]["clip_lagged"]
    settings.stats = lagged or any(group["stats"] for group in groups)
    if lagged:
        settings.known_norm = groups[0].get("last_norm", 0.0)
    settings.skip_nonfinite = any(group["skip_nonfinite"] for group in groups)
    settings.joins = any(group["release"] for group in groups)
    if grad_scale is not None:
        settings.unscale = read_unscale(grad_scale)
    if found_inf is not None:
        settings.skip = bool(found_inf) if isinstance(found_inf, bool) else read_float(found_inf, "found_inf") != 0
    return settings
