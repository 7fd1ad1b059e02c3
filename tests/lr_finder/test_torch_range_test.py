"""The range test of a torch model: what it does, and that nothing is left of it."""

import copy
import math
import random
from functools import partial

import numpy as np
import pytest

from gradstep import CosineDecay, LRFinder

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from gradstep import optim  # noqa: E402
from gradstep.lr_finder.torch import range_test, restored  # noqa: E402

Finder = partial(LRFinder, 1e-4, 0.1, 12, diverge=math.inf)


class Net(nn.Module):
    """With all that a test could leave traces in: dropout, batch statistics, a buffer that is replaced."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)
        self.register_buffer("seen", torch.zeros(1), persistent=False)

    def forward(self, x):
        self.seen = self.seen + 1
        return self.last(nn.functional.dropout(self.norm(self.first(x)), 0.2, self.training))


def make_loader(generator=None, n=40):
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(1))
    return DataLoader(list(zip(x, x.sum(1, keepdim=True), strict=True)), 8, shuffle=True, generator=generator)


def groups(net):
    return [
        {"params": net.first.parameters(), "lr": 0.02},
        {"params": [*net.norm.parameters(), *net.last.parameters()]},
    ]


def scheduled_torch(net):
    optimizer = torch.optim.SGD(groups(net), lr=0.01, momentum=0.9)
    torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)  # adds initial_lr
    return optimizer


OPTIMIZERS = {
    "gradstep Adam": lambda net: optim.Adam(groups(net), lr=0.01, weight_decay=0.1),
    "gradstep, scheduled": lambda net: optim.SGD(net.parameters(), lr=CosineDecay(0.01, 50).warmup(5), momentum=0.9),
    "torch AdamW": lambda net: torch.optim.AdamW(groups(net), lr=0.01),
    "torch, a tensor as lr": lambda net: torch.optim.Adam(net.parameters(), lr=torch.tensor(0.01)),
    "torch, scheduled": scheduled_torch,
}
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)

OPTIONS = {
    "plain": dict,
    "accumulate": lambda: {"accumulate": 3},
    "bfloat16": lambda: {"autocast": torch.autocast("cpu", torch.bfloat16)},
    "scaler": lambda: {"scaler": torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)},
    "validation": lambda: {"validation": make_loader(torch.Generator().manual_seed(3), 24)},
}
each_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def train(net, optimizer, loader, scaler, epochs=1):
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            scaler.scale(nn.functional.mse_loss(net(x), y)).backward()
            scaler.step(optimizer)
            scaler.update()


def everything(net, optimizer, scaler, *generators):
    """All that must be as before, in a form that can be compared."""
    held = [*net.state_dict().values(), net.seen, *(p.grad for p in net.parameters())]
    state = optimizer.state_dict()
    numbers = [random.getstate(), torch.get_rng_state(), *(g.get_state() for g in generators)]
    modes = [module.training for module in net.modules()]
    return copy.deepcopy([held, state, numbers, modes, vars(scaler)]), copy.deepcopy(np.random.get_state())


def assert_equal(found, expected):
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert found.numpy().tobytes() == expected.numpy().tobytes()
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        assert_equal(list(found.values()), list(expected.values()))
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_equal(a, b)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


class Failing:
    """A loss function that raises at one of its calls, where others would draw global random numbers too."""

    def __init__(self, error=None, at=10):
        self.error, self.at, self.calls = error, at, 0

    def __call__(self, outputs, targets):
        self.calls += 1
        random.random(), np.random.random()
        if self.error and self.calls == self.at:
            raise self.error
        return nn.functional.mse_loss(outputs, targets)


def begun(make):
    """A net in the middle of its training, with gradients that have not been used yet."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(2)
    net, loader = Net(), make_loader(generator)
    optimizer = make(net)
    train(net, optimizer, loader, torch.amp.GradScaler(enabled=False))
    net.norm.eval()
    net(torch.ones(2, 6)).sum().backward()
    return net, optimizer, loader, generator


@each_option
@each_optimizer
def test_nothing_is_left_of_it(make, options):
    net, optimizer, loader, generator = begun(make)
    given = options()
    scaler = given.get("scaler", torch.amp.GradScaler(enabled=False))
    parameters, buffer, gradients = list(net.parameters()), net.seen, [p.grad for p in net.parameters()]
    before = everything(net, optimizer, scaler, generator)
    finder = range_test(net, optimizer, Failing(), loader, finder=Finder(), **given)
    assert len(finder.losses) == 12
    assert_equal(everything(net, optimizer, scaler, generator), before)
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    assert all(p.grad is g for p, g in zip(parameters, gradients, strict=True))
    assert net.seen is buffer


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no")], ids=repr)
@each_optimizer
def test_nothing_is_left_of_it_when_it_is_interrupted(make, error):
    net, optimizer, loader, generator = begun(make)
    scaler = torch.amp.GradScaler("cpu", init_scale=16.0)
    before = everything(net, optimizer, scaler, generator)
    with pytest.raises(type(error)):
        range_test(net, optimizer, Failing(error), loader, finder=Finder(), scaler=scaler, validation=make_loader())
    assert_equal(everything(net, optimizer, scaler, generator), before)


@each_optimizer
@pytest.mark.filterwarnings("error::UserWarning")  # of a schedule that somebody has overwritten
def test_training_goes_on_as_if_it_had_not_been(make):
    def run(tested):
        torch.manual_seed(0)
        net, loader = Net(), make_loader()
        optimizer, scaler = make(net), torch.amp.GradScaler("cpu", init_scale=2.0**8, growth_interval=7)
        for _ in range(3):
            if tested:
                range_test(net, optimizer, nn.MSELoss(), loader, finder=Finder(), scaler=scaler)
            train(net, optimizer, loader, scaler)
        return everything(net, optimizer, scaler)

    assert_equal(run(True), run(False))


def test_an_interrupt_between_unscale_and_step():
    net, scaler = nn.Linear(1, 1), torch.amp.GradScaler("cpu")
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with restored(net, optimizer, scaler):
        scaler.scale(net(torch.ones(1)).sum()).backward()
        scaler.unscale_(optimizer)
    scaler.scale(net(torch.ones(1)).sum()).backward()
    scaler.unscale_(optimizer)  # raises where the scaler still holds the first unscale_
    assert net.bias.grad.item() == 1


def test_a_loss_function_with_parameters_and_a_parameter_of_the_optimizer_alone():
    class Weighted(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor(0.3))

        def forward(self, outputs, targets):
            return nn.functional.mse_loss(outputs, targets) * torch.exp(-self.weight - lone) + self.weight + lone

    lone, loss_function, net = nn.Parameter(torch.tensor(0.7)), Weighted(), Net()
    optimizer = optim.SGD([*net.parameters(), loss_function.weight, lone], lr=0.1)
    range_test(net, optimizer, loss_function, make_loader(), finder=Finder())
    assert (loss_function.weight.item(), lone.item()) == (torch.tensor(0.3).item(), torch.tensor(0.7).item())


def steps_of(optimizer):
    """What each step is made with: the rates of the groups, and all gradients."""
    seen = []

    def note(*_):
        gradients = [p.grad.clone() for group in optimizer.param_groups for p in group["params"]]
        seen.append(([group["lr"] for group in optimizer.param_groups], gradients))

    optimizer.register_step_pre_hook(note)
    return seen


def test_groups_keep_their_ratio():
    net = Net()
    seen = steps_of(optimizer := optim.SGD(groups(net), lr=0.005))
    finder = range_test(net, optimizer, nn.MSELoss(), make_loader(), finder=Finder())
    np.testing.assert_allclose([rates for rates, _ in seen], np.outer(finder.rates, [1, 0.25]), rtol=1e-15)


def test_groups_that_are_all_at_zero_share_alike():
    net = Net()
    rate = CosineDecay(0.1, 50).warmup(5, offset=0)
    seen = steps_of(optimizer := optim.SGD(net.parameters(), lr=rate))
    assert optimizer.param_groups[0]["lr"] == 0
    finder = range_test(net, optimizer, nn.MSELoss(), make_loader(), finder=Finder())
    assert [rates for rates, _ in seen] == [[rate] for rate in finder.rates]


def test_accumulated_gradients_are_those_of_one_batch():
    x = torch.randn(16, 6, generator=torch.Generator().manual_seed(0))
    y = x.sum(1, keepdim=True)
    found = []
    for size, accumulate in ((16, 1), (4, 4)):
        torch.manual_seed(0)
        net = nn.Linear(6, 1)
        seen = steps_of(optimizer := optim.SGD(net.parameters(), lr=0.1))
        loader = list(zip(x.split(size), y.split(size), strict=True))
        finder = range_test(net, optimizer, nn.MSELoss(), loader, finder=Finder(), accumulate=accumulate)
        assert len(seen) == len(finder.losses) == 12
        found.append((finder.losses, *seen[3][1]))
    for whole, parts in zip(*found, strict=True):
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)  # float32 sums in another order


def test_losses_are_of_the_model_after_each_update():
    x, y = torch.ones(1, 1), torch.zeros(1, 1)
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 2.0)
    finder = range_test(net, torch.optim.SGD(net.parameters(), lr=1), nn.MSELoss(), [(x, y)], finder=Finder())
    weights = 2 * np.cumprod(1 - 2 * finder.rates)  # the gradient of w**2 is 2 * w
    np.testing.assert_allclose(finder.losses, weights**2, rtol=1e-5)  # float32


def test_the_validation_loss_is_the_mean_over_its_batches_in_evaluation_mode():
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    modes = []

    def loss_function(outputs, targets):
        modes.append((net.training, net.norm.training, torch.is_grad_enabled()))
        return nn.functional.mse_loss(outputs, targets) if net.training else targets.sum()

    net.norm.eval()  # a frozen layer stays so in training
    validation = [(torch.ones(2, 6), torch.tensor(k)) for k in (1.0, 5.0)]
    finder = range_test(net, optimizer, loss_function, make_loader(), finder=Finder(), validation=validation)
    assert list(finder.losses) == [3.0] * 12
    training, evaluating = (True, False, True), (False, False, False)
    assert modes == [training] + [training, evaluating, evaluating] * 12


def test_a_model_in_evaluation_mode_trains_and_returns_to_it():
    net = Net().eval()
    range_test(net, optim.SGD(net.parameters(), lr=0.1), nn.MSELoss(), make_loader(), finder=Finder())
    assert not any(module.training for module in net.modules())


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"loader": iter(make_loader())}, TypeError, "loader is an iterator, .*: pass a DataLoader or list"),
        ({"validation": iter([])}, TypeError, "validation is an iterator"),
        ({"loader": []}, ValueError, "loader gives no batches: it must give one or more"),
        ({"validation": []}, ValueError, "validation gives no batches: it must give one or more"),
        ({"accumulate": 0}, ValueError, "accumulate is 0: it counts the batches of one update"),
    ],
)
def test_refused(given, kind, message):
    net = Net()
    weight = net.last.weight.detach().clone()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(kind, match=message):
        range_test(net, optimizer, nn.MSELoss(), **{"loader": make_loader(), **given})
    assert torch.equal(net.last.weight, weight)


def test_a_suggested_rate_trains_on_real_digits():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 16
    data = list(zip(x, torch.tensor(digits.target), strict=True))

    def after_an_epoch(lr):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        optimizer = optim.SGD(net.parameters(), lr=lr or 1.0)
        loader = DataLoader(data, 32, shuffle=True)
        if lr is None:
            return range_test(net, optimizer, nn.CrossEntropyLoss(), loader, finder=LRFinder(1e-4, 100)).suggestion()
        losses = []
        for inputs, targets in loader:
            optimizer.zero_grad()
            losses.append(loss := nn.functional.cross_entropy(net(inputs), targets))
            loss.backward()
            optimizer.step()
        return torch.stack(losses[-20:]).mean().item()

    suggestion = after_an_epoch(None)
    for rate in suggestion.rates().values():
        # seen: 0.9 to 2.1 for the suggested rates, 2.25 to 2.31 for a tenth and 2.34 to 2.52 for 30 times as much
        assert after_an_epoch(rate) < 0.95 * min(after_an_epoch(rate / 10), after_an_epoch(30 * rate))
