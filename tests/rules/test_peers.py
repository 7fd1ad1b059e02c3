"""The paths of other libraries' optimizers, in float64, where they compute what the paper says."""

import numpy as np
import pytest

import gradstep
from support.arrays import normal, step_all

torch = pytest.importorskip("torch")

STEPS = 8
SHAPE = (7, 5)
# Eight updates with a few roundings each, of numbers near 1, on either side.
CLOSE = {"rtol": 1e-14, "atol": 1e-14}

BETAS = (0.8, 0.95)
ADAMS = {"lr": 0.03, "betas": BETAS, "eps": 1e-3}
LAMBS = {**ADAMS, "weight_decay": 0.3}
LARSES = {"lr": 0.2, "weight_decay": 0.05, "trust_coeff": 0.3, "eps": 1e-2}
ADANS = {"lr": 0.03, "betas": (0.9, 0.7, 0.95), "eps": 1e-3, "weight_decay": 0.3}

#: our class and its settings, and those of the peer where it names them otherwise
TIMM = [
    ("NAdamW", {**ADAMS, "weight_decay": 0.3}, "nadamw.NAdamW", {}),
    ("ADOPT", {**ADAMS, "weight_decay": 0.3}, "adopt.Adopt", {"clip_exp": 0.25}),
    (
        "ADOPT",
        {**ADAMS, "weight_decay": 0.3, "decoupled_weight_decay": True},
        "adopt.Adopt",
        {"clip_exp": 0.25, "decoupled": True},
    ),
    ("Adan", ADANS, "adan.Adan", {}),
    ("Adan", {**ADANS, "no_prox": True}, "adan.Adan", {}),
    ("LaProp", ADAMS, "laprop.LaProp", {}),
    ("LAMB", LAMBS, "lamb.Lamb", {"max_grad_norm": None}),
    (
        "LAMB",
        {**LAMBS, "grad_averaging": False, "bias_correction": False},
        "lamb.Lamb",
        {"max_grad_norm": None},
    ),
    ("LAMB", {**ADAMS, "weight_decay": 0.0, "always_adapt": False}, "lamb.Lamb", {"max_grad_norm": None}),
    ("LARS", {**LARSES, "momentum": 0.8, "dampening": 0.3}, "lars.Lars", {}),
    ("LARS", {**LARSES, "momentum": 0.8, "nesterov": True, "trust_clip": True}, "lars.Lars", {}),
    ("LARS", {**LARSES, "momentum": 0.0, "weight_decay": 0.0, "always_adapt": False}, "lars.Lars", {}),
]


def start():
    return normal(0, SHAPE, "f64")


def gradients():
    return [normal(t, SHAPE, "f64") for t in range(1, STEPS + 1)]


def path(name, hyper):
    p = start()
    step_all(getattr(gradstep, name)([p], **hyper), [[g] for g in gradients()])
    return p


def torch_steps(optimizer, p, gradients):
    for g in gradients:
        p.grad = torch.from_numpy(g.copy())
        optimizer.step()


@pytest.fixture
def float64():
    """timm keeps LaProp's bias correction in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("name", "hyper", "peer", "theirs"), TIMM, ids=[f"{each[0]}-{i}" for i, each in enumerate(TIMM)]
)
def test_timm(name, hyper, peer, theirs):
    # A torchvision that does not fit torch raises RuntimeError.
    optim = pytest.importorskip("timm.optim", exc_type=(ImportError, RuntimeError))
    module, _, owner = peer.partition(".")
    p = torch.from_numpy(start())
    shared = {key: value for key, value in hyper.items() if key != "decoupled_weight_decay"}
    torch_steps(getattr(getattr(optim, module), owner)([p], **shared, **theirs), p, gradients())
    np.testing.assert_allclose(path(name, hyper), p.numpy(), **CLOSE)


def optax_path(make):
    optax = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        transformation = make(optax)
        p = jax.numpy.asarray(start())
        state = transformation.init(p)
        for g in gradients():
            updates, state = transformation.update(jax.numpy.asarray(g), state, p)
            p = optax.apply_updates(p, updates)
        return np.asarray(p)


def test_ademamix_of_optax():
    theirs = optax_path(
        lambda optax: optax.contrib.ademamix(0.03, b1=0.8, b2=0.95, b3=0.99, alpha=3.0, eps=1e-3, weight_decay=0.3)
    )
    ours = path("AdEMAMix", {"lr": 0.03, "betas": (0.8, 0.95, 0.99), "alpha": 3.0, "eps": 1e-3, "weight_decay": 0.3})
    np.testing.assert_allclose(ours, theirs, **CLOSE)


def test_adopt_of_optax():
    theirs = optax_path(lambda optax: optax.contrib.adopt(0.03, b1=0.8, b2=0.95, eps=1e-3))
    np.testing.assert_allclose(path("ADOPT", ADAMS), theirs, **CLOSE)


def test_nvlamb_of_timm():
    """With its clipping by the norm of all gradients."""
    optim = pytest.importorskip("timm.optim", exc_type=(ImportError, RuntimeError))
    p = torch.from_numpy(start())
    torch_steps(optim.lamb.Lamb([p], **LAMBS, max_grad_norm=0.5, trust_clip=True), p, gradients())
    ours = path("LAMB", {**LAMBS, "clip_norm": 0.5, "max_ratio": 1.0})
    # Gradients have norms near 6, to which our option adds 1e-6: a part of 2e-7, seen through eps and the mean alone.
    np.testing.assert_allclose(ours, p.numpy(), rtol=2e-7, atol=2e-7)


def test_lamb_of_optax():
    theirs = optax_path(lambda optax: optax.lamb(0.03, b1=0.8, b2=0.95, eps=1e-3, weight_decay=0.3))
    np.testing.assert_allclose(path("LAMB", LAMBS), theirs, **CLOSE)


def test_lars_of_optax():
    # Without decay, whose place in the ratio differs; at a steady rate it makes no difference where the rate is.
    theirs = optax_path(lambda optax: optax.lars(0.2, trust_coefficient=0.3, eps=1e-2, momentum=0.8, nesterov=True))
    ours = path("LARS", {**LARSES, "weight_decay": 0.0, "momentum": 0.8, "nesterov": True})
    np.testing.assert_allclose(ours, theirs, **CLOSE)


SCHEDULE_FREE = [
    ("ScheduleFreeSGD", "SGDScheduleFree", {"lr": 0.2, "momentum": 0.8}),
    ("ScheduleFreeAdamW", "AdamWScheduleFree", ADAMS),
]


@pytest.mark.parametrize(("name", "peer", "hyper"), SCHEDULE_FREE, ids=[each[0] for each in SCHEDULE_FREE])
def test_schedulefree(name, peer, hyper):
    """y while it trains, x in between and at the end, with a warm-up of three updates."""
    schedulefree = pytest.importorskip("schedulefree")
    shared = {**hyper, "weight_decay": 0.3, "r": 0.5, "weight_lr_power": 1.5}
    p, q = torch.from_numpy(start()), start()
    theirs = getattr(schedulefree, peer)([p], **shared, warmup_steps=3)
    ours = getattr(gradstep, name)([q], **{**shared, "lr": gradstep.Constant(hyper["lr"]).warmup(3)})
    for some in (gradients()[:3], gradients()[3:]):
        theirs.train()
        ours.train()
        torch_steps(theirs, p, some)
        step_all(ours, [[g] for g in some])
        np.testing.assert_allclose(q, p.numpy(), **CLOSE)
        theirs.eval()
        ours.eval()
        np.testing.assert_allclose(q, p.numpy(), **CLOSE)
