"""The range test of a torch model."""

import numpy as np
import pytest

from gradstep import CosineDecay, LRFinder

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from gradstep import optim  # noqa: E402
from gradstep.lr_finder.torch import range_test  # noqa: E402
from support.range_tested import Finder, Net, groups, make_loader  # noqa: E402
from support.tolerances import FEW_ULP, SINGLE  # noqa: E402


def steps_of(optimizer):
    """The inputs of each step: the rates of the groups, and all gradients."""
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
    np.testing.assert_allclose([rates for rates, _ in seen], np.outer(finder.rates, [1, 0.25]), rtol=FEW_ULP)


def test_groups_that_are_all_at_zero_share_alike():
    net = Net()
    rate = CosineDecay(0.1, 50).warmup(5, offset=0)
    seen = steps_of(optimizer := optim.SGD(net.parameters(), lr=rate))
    assert optimizer.param_groups[0]["lr"] == 0
    finder = range_test(net, optimizer, nn.MSELoss(), make_loader(), finder=Finder())
    assert [rates for rates, _ in seen] == [[rate] for rate in finder.rates]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_release_rests(accumulate):
    def run(**options):
        torch.manual_seed(0)
        net = Net()
        optimizer = optim.AdamW(groups(net), lr=0.5, **options)
        found = range_test(net, optimizer, nn.MSELoss(), make_loader(), finder=Finder(), accumulate=accumulate)
        return found.losses, net, optimizer

    losses, net, optimizer = run(release=True)
    np.testing.assert_array_equal(losses, run()[0])
    assert [group["release"] for group in optimizer.param_groups] == [True] * 2
    for _ in range(2):  # as before the test
        net(torch.ones(4, 6)).mean().backward()
        assert all(p.grad is None for p in net.parameters())
        optimizer.step()


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
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=SINGLE)  # float32 sums in another order


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


def test_gradients_from_before_have_no_part_in_it():
    def losses(leftover):
        torch.manual_seed(0)
        net = nn.Linear(6, 1)
        net.weight.grad = leftover
        return range_test(net, optim.SGD(net.parameters(), lr=1), nn.MSELoss(), make_loader(), finder=Finder()).losses

    np.testing.assert_array_equal(losses(torch.full((1, 6), 100.0)), losses(None))


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"loader": iter(make_loader())}, TypeError, "loader is an iterator, .*: pass a DataLoader or a list"),
        ({"validation": iter([])}, TypeError, "validation is an iterator"),
        ({"loader": []}, ValueError, "loader yields no batches: it must yield one or more"),
        ({"validation": []}, ValueError, "validation yields no batches: it must yield one or more"),
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


@pytest.mark.slow
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
