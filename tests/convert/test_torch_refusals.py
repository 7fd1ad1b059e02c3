"""Schedulers of torch that can't be converted, and their errors."""

import re

import pytest

from gradstep import convert

torch = pytest.importorskip("torch")
from torch.optim import lr_scheduler as peer  # noqa: E402

from support.torch_training import optimizer  # noqa: E402

CALLABLE = "use gradstep.Callable(fn, steps), where fn(t) is the rate of update t"


class OwnStepLR(peer.StepLR):
    pass


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda o: peer.LambdaLR(o, lambda t: 0.9**t),
            TypeError,
            "LambdaLR can't be converted, only its function knows its values: "
            f"{CALLABLE}; for those of transformers.get_scheduler use gradstep.convert.from_hf",
        ),
        (
            lambda o: peer.MultiplicativeLR(o, lambda t: 0.9),
            TypeError,
            f"only its function knows its values: {CALLABLE}",
        ),
        (
            lambda o: peer.SequentialLR(o, [peer.LambdaLR(o, lambda t: t / 9), peer.StepLR(o, 3)], [9]),
            TypeError,
            "LambdaLR can't be converted",
        ),
        (
            lambda o: peer.ReduceLROnPlateau(o),
            TypeError,
            "ReduceLROnPlateau can't be converted, it depends on a metric: use gradstep.convert.from_plateau",
        ),
        (lambda o: OwnStepLR(o, 3), TypeError, f"OwnStepLR, is not in torch.optim.lr_scheduler: {CALLABLE}"),
        (lambda o: peer.StepLR(o, 2.5), ValueError, "step_size is 2.5: a schedule counts whole updates"),
        (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4.5), ValueError, "step_size_up is 4.5"),
        (lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, scale_fn=abs), TypeError, "CyclicLR with a scale_fn"),
        (lambda o: peer.OneCycleLR(o, 0.5, 10, pct_start=0.05), ValueError, "a rise of less than one update"),
        (
            lambda o: peer.SequentialLR(o, [peer.StepLR(o, 3), peer.ChainedScheduler([peer.StepLR(o, 3)])], [5]),
            TypeError,
            "ChainedScheduler of torch can't be converted",
        ),
        (
            lambda o: peer.ChainedScheduler([peer.StepLR(o, 3), peer.CosineAnnealingLR(o, 9, eta_min=0.1)]),
            TypeError,
            "CosineAnnealingLR in a ChainedScheduler does not multiply",
        ),
        (
            lambda o: peer.ChainedScheduler([peer.StepLR(o, 3), peer.CosineAnnealingWarmRestarts(o, 9)]),
            TypeError,
            "CosineAnnealingWarmRestarts in a ChainedScheduler does not multiply",
        ),
    ],
)
def test_what_is_refused(make, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.from_torch(make(optimizer()))


def test_of_is_the_rate_or_the_momentum():
    with pytest.raises(ValueError, match="of is 'beta2': it must be one of 'lr', 'momentum'"):
        convert.from_torch(peer.StepLR(optimizer(), 3), of="beta2")


@pytest.mark.parametrize(
    "make", [lambda o: peer.StepLR(o, 3), lambda o: peer.CyclicLR(o, 0.1, 0.5, 4, cycle_momentum=False)]
)
def test_momentum_that_is_left_alone_is_refused(make):
    with pytest.raises(ValueError, match="leaves the momentum alone: only CyclicLR and OneCycleLR may cycle it"):
        convert.from_torch(make(optimizer()), of="momentum")
