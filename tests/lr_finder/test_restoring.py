"""Nothing is left of the range test of a torch model, however it ends."""

import copy
import random

import numpy as np
import pytest

from gradstep import CosineDecay

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from gradstep import optim  # noqa: E402
from gradstep.lr_finder.torch import range_test, restored  # noqa: E402
from support.range_tested import Finder, Net, groups, make_loader  # noqa: E402


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
    # its first steps are skipped, since float16 ends at 65504
    "float16": lambda: {
        "autocast": torch.autocast("cpu", torch.float16),
        "scaler": torch.amp.GradScaler("cpu", init_scale=2.0**20),
    },
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
@pytest.mark.filterwarnings("error::UserWarning")  # about an overridden schedule
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


def test_a_schedule_that_a_loop_of_ones_own_overwrites():
    net = nn.Linear(1, 1)
    rate = CosineDecay(0.1, 10)
    optimizer = optim.SGD(net.parameters(), lr=rate)
    net(torch.ones(1)).sum().backward()
    with restored(net, optimizer):
        optimizer.param_groups[0]["lr"] = 0.5
        with pytest.warns(UserWarning, match="takes over from its schedule"):
            optimizer.step()
    for t in range(3):
        assert optimizer.param_groups[0]["lr"] == rate(t)
        optimizer.step()


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
