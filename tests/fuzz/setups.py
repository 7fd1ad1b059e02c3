"""Which class, with which options, over which arrays: drawn once, so that a twin can be made of the same."""

from dataclasses import dataclass
from typing import Any

import gradstep as gs
from gradstep import rules
from support.cases import ALL_CASES

from .drawing import Draw

#: of the hyper-parameters of all rules, by key and index
PLACES = {(place.key, place.index): place for rule in rules.ALL.values() for place in rule.hyperparameters().values()}
SHAPES = [(), (0,), (1,), (3,), (7,), (16,), (33,), (5, 7), (8, 4), (3, 4, 5), (2, 0, 3), (1, 1), (4097,), (65, 70)]
LAYOUTS = ["contiguous"] * 4 + ["transposed", "strided", "offset", "unaligned"]
#: of which a step over all dtypes draws
DTYPES = ["f32"] * 4 + ["f64", "f64", "f16", "bf16", "c64", "c128"]
#: kinds of options and their values, each drawn with the probability beside it
OPTIONS: dict[str, tuple[float, list[Any]]] = {
    "maximize": (0.2, [True]),
    "decoupled_weight_decay": (0.3, [False, True, "full", "corrected"]),
    "cautious": (0.15, [True]),
    "clip_norm": (0.2, [0.5, 3.0]),
    "clip_scope": (0.2, ["all", "group"]),
    "clip_value": (0.15, [0.25, 2.0]),
    "skip_nonfinite": (0.2, [True]),
    "ema": (0.25, [0.0, 0.5, 0.9, 1.0]),
    "ema_bias_correction": (0.3, [True]),
    "cast_to": (0.15, ["bf16", "f16"]),
    "zero_grad": (0.2, [True]),
    "lazy_rows": (0.1, [True]),
    "stats": (0.1, [True]),
    "state_dtype": (0.15, ["param"]),
    "foreach": (0.05, [None, True, False]),
    "fused": (0.05, [None, True, False]),
    "capturable": (0.05, [True]),
    "peak_lr": (0.1, [0.5]),
}


@dataclass(frozen=True)
class Array:
    shape: tuple[int, ...]
    dtype: str
    layout: str
    sparse: bool


@dataclass(frozen=True)
class Setup:
    name: str
    layer: str
    common: dict[str, Any]
    groups: tuple[tuple[dict[str, Any], tuple[Array, ...]], ...]
    steps: int
    awkward: bool  #: whether gradients hold NaN, infinities and subnormal numbers
    missing: float  #: how often a parameter has no gradient
    seed: int

    @property
    def arrays(self) -> list[Array]:
        return [each for _, arrays in self.groups for each in arrays]

    def option(self, name: str) -> list[Any]:
        """The values of an option in all groups."""
        return [{**self.common, **own}.get(name) for own, _ in self.groups]


def any_setup(draw: Draw, plain: bool = False, dtypes: list[str] = DTYPES, **fixed: Any) -> Setup:
    """A setup, where ``plain`` without what surrounds the rule, and without schedules."""
    case = draw.choice(ALL_CASES)
    common = {key: near(draw, key, value, plain) for key, value in case.hyper.items()}
    if not case.hyper and draw.chance(0.5):
        common["lr"] = near(draw, "lr", 0.01, plain)
    common.update(plain_options(draw) if plain else any_options(draw))
    if not plain and draw.chance(0.25):
        common["accumulate"] = draw.randrange(1, 4)
    if not plain and draw.chance(0.1):
        common["clip_lagged"], common["clip_norm"], common["clip_scope"] = True, 1.0, "all"
    groups = []
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        own = {} if plain or draw.chance(0.5) else any_options(draw)
        if "clip_lagged" in common:
            own.pop("clip_scope", None)
        if draw.chance(0.3):
            own["lr"] = near(draw, "lr", 0.03, plain)
        arrays = tuple(any_array(draw, dtypes, not plain) for _ in range(draw.choice([1, 1, 2, 4])))
        groups.append((own, arrays))
    drawn = {
        "name": case.name,
        "layer": draw.choice(["numpy", "torch"]),
        "common": common,
        "groups": tuple(groups),
        "steps": draw.randrange(2, 7),
        "awkward": not plain and draw.chance(0.15),
        "missing": draw.choice([0, 0, 0.2]),
        "seed": draw.seed_of(),
    }
    return Setup(**{**drawn, **fixed})


def plain_options(draw: Draw) -> dict[str, Any]:
    return {name: draw.choice([False, True]) for name in ("maximize", "decoupled_weight_decay")}


def any_options(draw: Draw) -> dict[str, Any]:
    drawn = {name: draw.choice(values) for name, (chance, values) in OPTIONS.items() if draw.chance(chance)}
    if drawn.get("cautious"):
        drawn.setdefault("decoupled_weight_decay", True)
    if drawn.get("decoupled_weight_decay") in ("full", "corrected"):
        drawn.setdefault("peak_lr", 0.5)
    return {name: near(draw, name, value, draw.chance(0.7)) for name, value in drawn.items()}


def any_array(draw: Draw, dtypes: list[str], sparse: bool) -> Array:
    shape = draw.choice(SHAPES)
    if draw.chance(0.01):
        shape = (90_001,)
    dtype, layout = draw.choice(dtypes), draw.choice(LAYOUTS)
    if dtype[0] == "c" and layout == "unaligned":
        layout = "offset"  # torch itself crashes where it copies such tensors
    return Array(shape, dtype, layout, sparse and len(shape) == 2 and draw.chance(0.3))


def near(draw: Draw, name: str, value: Any, plain: bool, index: int | None = None) -> Any:
    """A number, or a schedule of numbers, near the one given and allowed where that is; anything else as it is."""
    if isinstance(value, tuple):
        return tuple(near(draw, name, each, plain, i) for i, each in enumerate(value))
    if type(value) is not float or not value or name in ("peak_lr", "clip_scope"):
        return value
    low, high = sorted((value * draw.choice([1, 1, 0.5, 0.9]), value))
    place = PLACES.get((name, index))
    if place is not None and not place.allows(low):
        low = high  # the larger of Rprop's etas is above 1
    if plain or place is None or place.read_once or draw.chance(0.8):
        return draw.choice([low, high])
    return any_course(draw, low, high)


def any_course(draw: Draw, low: float, high: float) -> gs.Schedule:
    """A schedule within these bounds."""
    steps = draw.randrange(1, 9)
    return draw.choice(
        [
            lambda: gs.Linear(high, low, steps, past=draw.choice(["hold", "repeat", "mirror"])),
            lambda: gs.Linear(high, low, steps, past=draw.choice(["hold", "hold", "error"])),
            lambda: gs.CosineDecay(high, steps, end=low),
            lambda: gs.Uniform(low, high, draw.seed_of()),
            lambda: (gs.ExponentialDecay(high, 0.8) * 1.0).clip(low, high),
            lambda: gs.Table([draw.uniform(low, high) for _ in range(steps)]),
            lambda: gs.Constant(low).then(high, at=steps),
            lambda: gs.Linear(high, low, steps).warmup(2, start=low),
            lambda: gs.MultiStep(high, [2, 4], 0.9).clip(low, high),
        ]
    )()
