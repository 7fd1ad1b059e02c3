"""Complex parameters of torch: gradstep.optim in the place of torch.optim, with torch's states and autograd."""

import copy

import pytest

from support.arrays import assert_same_bits, to_numpy

torch = pytest.importorskip("torch")

import gradstep  # noqa: E402
from gradstep import optim, rules  # noqa: E402

STEPS = 3
SHARED = [name for name in rules.ALL if hasattr(torch.optim, name) and getattr(rules, name).takes_complex]
each_shared = pytest.mark.parametrize("name", SHARED)
each_dtype = pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=["c64", "c128"])


def numbers(seed, shape=(3, 4), dtype=torch.complex64):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def give(params, seed):
    for i, p in enumerate(params):
        p.grad = numbers(100 * seed + i, p.shape, p.dtype)


def step(optimizer, params, seeds):
    for seed in seeds:
        give(params, seed)
        optimizer.step()


def assert_same(found, expected):
    assert_same_bits(to_numpy(torch.view_as_real(found)), to_numpy(torch.view_as_real(expected)))


@each_dtype
@each_shared
def test_a_state_dict_is_read_by_torch_and_from_it(name, dtype):
    kwargs = {"lr": 0.1, "foreach": False}
    theirs, ours = [numbers(0, dtype=dtype)], [numbers(0, dtype=dtype)]
    reference, optimizer = getattr(torch.optim, name)(theirs, **kwargs), getattr(optim, name)(ours, **kwargs)
    step(reference, theirs, range(STEPS))
    step(optimizer, ours, range(STEPS))
    for before, made in ((reference, optim), (optimizer, torch.optim)):
        mine = [before.param_groups[0]["params"][0].clone()]
        there = [before.param_groups[0]["params"][0].clone()]
        here, other = getattr(made, name)(mine, **kwargs), copy.deepcopy(before)
        there = other.param_groups[0]["params"]
        here.load_state_dict(before.state_dict())
        step(here, mine, [7, 8])
        step(other, there, [7, 8])
        # Two steps of 0.1, from numbers below 4; torch rounds NAdam's and ASGD's own numbers to float32.
        rounded = torch.float32 if name in ("NAdam", "ASGD") else dtype
        difference = torch.view_as_real(mine[0] - there[0]).abs().max()
        assert difference <= 4 * torch.finfo(rounded).eps


def test_layouts_of_torch():
    for change in (
        lambda t: t.t().contiguous().t(),
        lambda t: t.repeat_interleave(2, 1)[:, ::2],
        lambda t: torch.stack([t, t])[1],
        lambda t: t.expand(3, 4).clone(memory_format=torch.preserve_format),
    ):
        plain, placed = numbers(0), change(numbers(0))
        step(optim.Adam([plain]), [plain], range(STEPS))
        optimizer = optim.Adam([placed])
        for seed in range(STEPS):
            placed.grad = change(numbers(100 * seed))
            optimizer.step()
        assert_same(placed, plain)
        assert optimizer.state[placed]["exp_avg"].dtype == torch.complex64


@pytest.mark.parametrize("release", [False, True])
def test_training_a_model(release):
    # A complex weight and a real one.
    def train(make, **options):
        torch.manual_seed(0)
        spectrum, gain = torch.nn.Parameter(numbers(1, (8, 5))), torch.nn.Parameter(torch.ones(5))
        optimizer = make([spectrum, gain], lr=0.01, **options)
        losses = []
        for _ in range(4):
            signal = torch.fft.irfft(spectrum * gain, dim=-1)
            loss = signal.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    assert train(optim.AdamW, release=release) == pytest.approx(train(torch.optim.AdamW), rel=1e-5)


def test_autograd_sees_the_writes():
    p = torch.nn.Parameter(numbers(0))
    held = (p * p).abs().sum()
    give([p], 1)
    optim.SGD([p], lr=0.5).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        held.backward()


def test_micro_batches():
    p, q = torch.nn.Parameter(numbers(0)), torch.nn.Parameter(torch.view_as_real(numbers(0)))
    optimizer, twin = optim.AdamW([p], accumulate=2), optim.AdamW([q], accumulate=2)
    for seed in range(4):
        weight = numbers(seed + 1)
        for each, own, numbers_of in ((optimizer, p, lambda z: z), (twin, q, torch.view_as_complex)):
            each.zero_grad()
            (numbers_of(own) * weight).abs().sum().backward()
            each.step()
    assert_same_bits(to_numpy(torch.view_as_real(p)), to_numpy(q))
    assert not torch.equal(p, numbers(0))


@pytest.mark.parametrize("options", [{"ema": 0.5}, {"clip_norm": 0.5}, {"zero_grad": True}, {}])
def test_options_and_copies(options):
    ours, pairs = [numbers(0)], [torch.view_as_real(numbers(0))]
    optimizer, twin = optim.AdamW(ours, lr=0.1, **options), optim.AdamW(pairs, lr=0.1, **options)
    for seed in range(4):
        give(ours, seed)
        pairs[0].grad = torch.view_as_real(ours[0].grad.clone())
        optimizer.step()
        twin.step()
        optimizer.zero_grad()
        twin.zero_grad()
    assert_same_bits(to_numpy(torch.view_as_real(ours[0])), to_numpy(pairs[0]))
    if "ema" in options:
        assert optimizer.state[ours[0]]["ema"].dtype == torch.complex64
    again = copy.deepcopy(optimizer)
    step(again, again.param_groups[0]["params"], [5, 6])
    step(optimizer, ours, [5, 6])
    assert_same(again.param_groups[0]["params"][0], ours[0])


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
def test_half_complex_numbers():
    ours, pairs = numbers(0).to(torch.complex32), torch.view_as_real(numbers(0).to(torch.complex32).clone())
    assert pairs.dtype == torch.float16
    ours.grad = numbers(1).to(torch.complex32)
    pairs.grad = torch.view_as_real(ours.grad)
    optimizer, twin = optim.Adam([ours]), optim.Adam([pairs])
    optimizer.step()
    twin.step()
    assert torch.equal(torch.view_as_real(ours), pairs)
    assert optimizer.state[ours]["exp_avg"].dtype == torch.complex64


LAZY = {
    # Trap: DLPack ignores both bits, so the signs would be wrong.
    "conjugated": lambda t: t.conj(),
    "negated": lambda t: torch._neg_view(t),
}


@pytest.mark.parametrize("kind", LAZY)
def test_lazy_views_are_refused(kind):
    make = LAZY[kind]
    with pytest.raises(ValueError, match=r"^parameter 1 is a lazily negated or conjugated view"):
        gradstep.SGD([numbers(0), make(numbers(1))])
    p = numbers(0)
    optimizer = gradstep.SGD([p], lr=0.5)
    gradient = numbers(1)
    for given in (make(gradient), gradient, make(gradient)):
        if given is gradient:
            optimizer.step([given])
            continue
        before = p.clone()
        with pytest.raises(
            ValueError, match=r"^the gradient of parameter 0 is a lazily .* pass \.resolve_neg\(\)\.resol"
        ):
            optimizer.step([given])
        assert torch.equal(p, before)
    with pytest.raises(ValueError, match="lazily negated or conjugated"):
        gradstep.functional.norm([make(gradient)])


def test_a_gradient_of_backward_that_is_a_lazy_view():
    # z.conj() * w has such a gradient; torch resolves it where it is kept.
    p = torch.nn.Parameter(numbers(0))
    optimizer = optim.SGD([p], lr=0.5)
    p.conj().sum().abs().backward()
    assert not p.grad.is_conj()
    before, gradient = p.detach().clone(), p.grad.clone()
    optimizer.step()
    assert_same(p.detach(), before - 0.5 * gradient)


def test_a_parameter_that_becomes_complex_is_read_anew():
    p = torch.nn.Parameter(torch.ones(3, 2))
    optimizer = optim.SGD([p], lr=0.5)
    p.grad = torch.ones(3, 2)
    optimizer.step()
    p.grad = None
    p.data = torch.view_as_complex(p.data)
    p.grad = torch.full((3,), 1 - 1j)
    optimizer.step()
    assert torch.equal(p.detach(), torch.full((3,), 0 + 1j))
