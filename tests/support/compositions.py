"""Every composition of schedules."""

import gradstep as gs

S = gs.Linear(0.1, 0.0, 10)
COMPOSED = [
    S * 0.5,
    S + S,
    1 - S,
    1 / (S + 1),
    S / 2,
    -S,
    -(S - 1),
    (S * S) ** 3,
    -(S**2),
    (-S) ** 2,
    (S**2) ** 3,
    2 * S**0.5,
    gs.minimum(S, 0.05) - gs.maximum(0.01, S - 0.5),
    S.clip(0.01),
    S.then(S, at=3),
    gs.join([S, 0.5, S.then(1, at=2)], [0, 4]),
    gs.stages([(3, 0.5), (2, S)], last=0.1),
    S.shift(-2),
    (S + 1).stretch(2.5),
    S.stretch(3, staircase=True),
    S.repeat(4),
    (1 - S).smooth(0.75, 20),
    gs.tied(S, 0.8, 0.9, 10),
    gs.tied(to=S, lo=0.8, hi=0.9, steps=10, invert=True),
    *gs.layerwise(S, layers=4, decay=0.5)[:-1],
    S.warmup(5, start=0.01, mode="scale", offset=0),
    S.warmup(5, kind="power", power=4),
    *(S.warmup(5, kind=kind) for kind in ("constant", "log", "cosine", "1-sqrt")),
    S.warmup(5, kind="exponential", mode="scale"),
]
