"""Random schedules, and texts that are nearly theirs."""

import dataclasses
import json
import pickle
from typing import Any

import numpy as np

import gradstep as gs
from gradstep.schedules import fields
from gradstep.schedules.value import Value

from .drawing import Draw
from .trainings import check_words

REFUSALS = (TypeError, ValueError)
#: what a text is changed with
PIECES = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    ":",
    "-",
    "1e999",
    "NaN",
    "Infinity",
    "null",
    "true",
    "0",
    "9" * 30,
]
PIECES += [
    "1e308",
    "**2",
    "* 0",
    "/ 0",
    ".warmup(3)",
    "schedule",
    "steps",
    "Linear",
    "\\",
    "\x00",
    "é",
    "#",
    "__",
    "=",
    " ",
]


def any_number(draw: Draw) -> float:
    return draw.choice(
        [draw.uniform(-2, 2), draw.uniform(0, 1), float(draw.randrange(-3, 30)), 10.0 ** draw.randrange(-9, 9)]
    )


def any_argument(draw: Draw, check: Any, depth: int) -> Any:
    """A value that this check of an argument may let through."""
    if check in (fields.whole, fields.count, fields.natural, fields.count_or_zero):
        return draw.randrange(-2 if check is fields.whole else 0, 40)
    if check is fields.flag:
        return draw.chance(0.5)
    if check in (fields.increasing, fields.rising):
        return sorted(draw.sample(range(60), draw.randrange(0, 5)))
    if check is fields.reals:
        return [any_number(draw) for _ in range(draw.randrange(0, 5))]
    if check is fields.fraction:
        return draw.uniform(0, 1)
    if check in (fields.positive, fields.not_negative):
        return abs(any_number(draw))
    if check in (fields.real, fields.optional_real) or draw.chance(0.3):
        return any_number(draw)
    if draw.chance(0.2):
        return [any_schedule(draw, depth + 1) for _ in range(draw.randrange(1, 4))]
    return any_schedule(draw, depth + 1)


def any_schedule(draw: Draw, depth: int = 0) -> gs.Schedule:
    """One of any class, which may be refused."""
    names = sorted(Value.classes)
    for _ in range(20):
        kind = Value.classes[draw.choice(names)]
        arguments: dict[str, Any] = {}
        for each in dataclasses.fields(kind):  # type: ignore[arg-type]
            given_by_default = each.default is not dataclasses.MISSING
            if not given_by_default or draw.chance(0.3):
                arguments[each.name] = any_argument(draw, kind.checks()[each.name], depth)
        try:
            return kind(**arguments)  # type: ignore[return-value]
        except REFUSALS as refused:
            check_words(refused, f"{kind.__name__}")
        if depth > 3:
            break
    return gs.Linear(1, draw.random(), draw.randrange(1, 9))


def schedules(draw: Draw) -> str:
    """Their texts give them back, and one step's value is that of many."""
    schedule = any_schedule(draw)
    text = schedule.to_json()
    assert gs.from_json(text) == schedule, text
    assert gs.from_expression(repr(schedule)) == schedule, repr(schedule)
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert hash(gs.from_json(text)) == hash(schedule)
    times = np.array([0, 1, 2, *(draw.randrange(10 ** draw.randrange(1, 12)) for _ in range(6))])
    try:
        together = schedule(times)
    except REFUSALS:
        together = None  # past="error" of one of them
    for i, t in enumerate(times.tolist()):
        try:
            alone = schedule(t)
        except REFUSALS:
            continue
        if together is not None:
            assert np.float64(alone).tobytes() == together[i].tobytes() or np.isnan(alone), (repr(schedule), t)
    return type(schedule).__name__


def damaged(draw: Draw, text: str) -> str:
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(text) + 1)
        cut = draw.choice([0, 0, 1, 3, 9])
        text = text[:place] + draw.choice(["", *PIECES]) + text[place + cut :]
    return text


def read_text(draw: Draw) -> str:
    """Damaged texts are read, or refused with words; deep and large ones too."""
    schedule = any_schedule(draw)
    is_json = draw.chance(0.5)
    text = damaged(draw, schedule.to_json() if is_json else repr(schedule))
    if draw.chance(0.05):
        opening, closing = draw.choice([("(", ")"), ("[", "]"), ("-(", ")"), ('{"schedule":"Negative","a":', "}")])
        count = draw.choice([100, 5_000, 100_000])
        text = opening * count + text + closing * draw.choice([0, count])
    read = gs.from_json if is_json else gs.from_expression
    try:
        found = read(text)
    except REFUSALS as refused:
        check_words(refused, f"{text[:300]!r}")
        return f"{read.__name__} refused"
    assert gs.from_json(found.to_json()) == found, text
    assert gs.from_expression(repr(found)) == found, text
    json.loads(found.to_json())
    return f"{read.__name__} read"
