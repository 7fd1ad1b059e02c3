"""The plan notices what changes under it between steps: memory, shapes, gradients; and autograd notices the step."""

import copy
import gc
import weakref

import pytest

from support.arrays import assert_same_bits, normal, to_numpy, to_torch

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from support.tolerances import SINGLE  # noqa: E402

SHAPE = (2, 3)


def tensor(seed=0):
    return to_torch(normal(seed, SHAPE)).clone()


def three_tensors():
    params = [torch.nn.Parameter(tensor(seed)) for seed in (1, 2, 3)]
    optimizer = optim.Adam(params, lr=0.1, betas=(0.8, 0.95), weight_decay=0.05)
    give_gradients(params)
    optimizer.step()
    return optimizer, params


def give_gradients(params):
    for seed, p in enumerate(params, start=4):
        p.grad = tensor(seed)


def snapshot(optimizer, params):
    states = [optimizer.state[p] for p in params]
    return [p.detach().clone() for p in params], copy.deepcopy(states), [p._version for p in params]


def assert_unchanged(optimizer, params, before, but=()):
    for i, (p, kept, state, version) in enumerate(zip(params, *before, strict=True)):
        if i in but:
            continue
        assert_same_bits(to_numpy(p), to_numpy(kept))
        assert p._version == version
        assert set(optimizer.state[p]) == set(state)
        for name, value in state.items():
            assert torch.equal(optimizer.state[p][name], value)


def test_storage_freed_under_the_plan_and_restored():
    optimizer, params = three_tensors()
    twin, twins = three_tensors()
    before = snapshot(optimizer, params)
    storage = params[1].untyped_storage()
    size, kept = storage.nbytes(), params[1].detach().clone()
    storage.resize_(0)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"parameter 1 is a Parameter without memory: .* restore it"):
            optimizer.step()
        assert_unchanged(optimizer, params, before, but=[1])
    storage.resize_(size)
    params[1].data.copy_(kept)
    assert_unchanged(optimizer, params, before, but=[1])
    optimizer.step()
    twin.step()
    for p, q in zip(params, twins, strict=True):
        assert_same_bits(to_numpy(p), to_numpy(q))


@pytest.mark.parametrize("change", ["moved", "strides", "dtype"])
def test_a_parameter_moved_under_the_plan_is_planned_anew(change):
    # as module.to(), .data = and FSDP do
    optimizer, params = three_tensors()
    twin, twins = three_tensors()
    if change == "moved":
        params[1].data = params[1].detach().clone()
    elif change == "strides":
        params[1].data = params[1].detach().t().contiguous().t()
    else:
        twins[1].data = params[1].detach().double()
        params[1].data = params[1].detach().double()
        params[1].grad = params[1].grad.double()
        twins[1].grad = twins[1].grad.double()
    old = params[1].detach()
    optimizer.step()
    twin.step()
    assert old.data_ptr() == params[1].data_ptr()
    for p, q in zip(params, twins, strict=True):
        assert_same_bits(to_numpy(p), to_numpy(q))


def test_a_parameter_of_another_shape_is_refused():
    optimizer, params = three_tensors()
    before = snapshot(optimizer, params)
    params[1].data = torch.ones(4)
    params[1].grad = torch.ones(4)
    # twice: a refusal must not leave the plan half changed
    for _ in range(2):
        with pytest.raises(ValueError, match=r"'exp_avg' of parameter 1 has shape \(2, 3\), but .* \(4,\)"):
            optimizer.step()
        assert_unchanged(optimizer, params, before, but=[1])


SHARING = {
    "equal views": lambda memory: [memory[:], memory[:]],
    "halves that meet": lambda memory: [memory[:11], memory[10:]],
    "one within": lambda memory: [memory[3:4], memory],
    "strides that meet": lambda memory: [memory[::2], memory[::3]],
}


@pytest.mark.parametrize("kind", SHARING)
def test_parameters_may_not_share_memory(kind):
    memory = torch.arange(20.0)
    views = SHARING[kind](memory)
    optimizer = optim.SGD([torch.ones(3), *views], lr=0.5)
    for view in optimizer.param_groups[0]["params"]:
        view.grad = torch.ones_like(view)
    for _ in range(2):
        with pytest.raises(ValueError, match="parameter 1 and parameter 2 share memory: pass each"):
            optimizer.step()
        assert torch.equal(memory, torch.arange(20.0))
        assert torch.equal(optimizer.param_groups[0]["params"][0], torch.ones(3))


def test_sharing_is_noticed_whichever_had_gradients_before():
    memory = torch.arange(20.0)
    views = [memory[:11], memory[10:]]
    optimizer = optim.SGD(views, lr=0.5)
    for k in (0, 1):  # each alone is all right
        optimizer.zero_grad()
        views[k].grad = torch.zeros_like(views[k])
        optimizer.step()
    for view in views:
        view.grad = torch.ones_like(view)
    with pytest.raises(ValueError, match="parameter 0 and parameter 1 share memory"):
        optimizer.step()
    assert torch.equal(memory, torch.arange(20.0))


def test_a_step_without_gradients_after_a_refused_one_writes_nothing():
    optimizer, params = three_tensors()
    params[0].data = params[0].detach().clone()
    params[2].grad = params[2].grad.to_sparse()
    with pytest.raises(TypeError, match="is sparse"):
        optimizer.step()
    before = snapshot(optimizer, params)
    optimizer.zero_grad()
    optimizer.step()
    assert_unchanged(optimizer, params, before)


def test_an_expanded_parameter_is_refused():
    weight = torch.ones(1).expand(4)
    optimizer = optim.SGD([weight], lr=0.5)
    weight.grad = torch.ones(4)
    with pytest.raises(ValueError, match=r"parameter 0 overlaps itself \(an expanded or sliding view\)"):
        optimizer.step()


def test_duplicates_in_a_group_warn_as_in_torch_and_are_refused_by_the_step():
    p = torch.nn.Parameter(torch.ones(3))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = optim.SGD([p, p], lr=0.5)
    p.grad = torch.ones(3)
    with pytest.raises(ValueError, match="share memory"):
        optimizer.step()
    assert torch.equal(p, torch.ones(3))


def test_a_step_between_forward_and_backward_is_noticed():
    # Trap: a write through a pointer does not count as one, and the gradients are silently wrong.
    linear = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 1))
    optimizer = optim.Adam(linear.parameters(), lr=0.1)
    linear(torch.ones(2, 3)).sum().backward()
    loss = linear(torch.ones(2, 3)).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_version_counters_move_where_something_was_written():
    optimizer, params = three_tensors()
    versions = [p._version for p in params]
    give_gradients(params)
    params[1].grad = None
    optimizer.step()
    moved = [p._version - version for p, version in zip(params, versions, strict=True)]
    assert moved[0] > 0
    assert moved[2] > 0
    assert moved[1] == 0


class Computed(torch.nn.Parameter):
    """A parameter that makes its gradient when it is read, as a subclass may."""

    @property
    def grad(self):
        return torch.full_like(self, 2.0)


class Broken(torch.nn.Parameter):
    @property
    def grad(self):
        raise RuntimeError("no gradient today")


class Held(torch.Tensor):
    """A type with its own look-up of attributes."""

    def __getattr__(self, name):
        raise AttributeError(name)


def test_gradients_of_parameters_of_several_types():
    # Trap: a getter found for one type and used for another.
    plain = torch.nn.Parameter(torch.ones(2))
    params = [plain, Computed(torch.ones(2)), torch.nn.Parameter(torch.ones(2)), Held(torch.ones(2)).requires_grad_()]
    for p in params[::2] + params[3:]:
        p.grad = torch.full((2,), 4.0)
    optim.SGD(params, lr=0.25).step()
    assert [p.tolist() for p in params] == [[0.0] * 2, [0.5] * 2, [0.0] * 2, [0.0] * 2]


@pytest.mark.parametrize("zero_grad", [False, True])
def test_a_stepped_optimizer_that_its_parameter_holds_is_collected(zero_grad):
    # Trap: a reference of the core that the garbage collector can't see keeps the model alive for ever.
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.ones(2)
    optimizer = optim.SGD([parameter], lr=0.25, zero_grad=zero_grad)
    parameter.optimizer = optimizer
    optimizer.step()
    gone = weakref.ref(optimizer)
    del parameter, optimizer
    gc.collect()
    assert gone() is None


def test_an_error_of_a_gradient_is_raised():
    params = [torch.nn.Parameter(torch.ones(2)), Broken(torch.ones(2))]
    params[0].grad = torch.ones(2)
    with pytest.raises(RuntimeError, match="no gradient today"):
        optim.SGD(params, lr=0.25).step()
    assert params[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("replace", ["clear", "item", "attribute"])
def test_replaced_states_start_afresh_as_in_torch(replace):
    """torch looks each parameter's state up at every step; so the plan must notice another dict."""

    def run(library):
        parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        optimizer = library.Adam([parameter], lr=0.1)
        for t in range(6):
            parameter.grad = torch.tensor([0.5, -3.0]) * (t + 1)
            optimizer.step()
            if t == 2 and replace == "clear":
                optimizer.state.clear()
            elif t == 2 and replace == "item":
                optimizer.state[parameter] = {}
            elif t == 2:
                optimizer.state = type(optimizer.state)(dict)
        return parameter.detach(), optimizer.state[parameter]["step"]

    (ours, our_step), (theirs, their_step) = run(optim), run(torch.optim)
    assert our_step == their_step == 3
    torch.testing.assert_close(ours, theirs, rtol=SINGLE, atol=0)  # six updates, each rounded


def test_parameter_whose_storage_shrank_is_refused():
    parameter = torch.nn.Parameter(torch.ones(1000))
    parameter.grad = torch.ones(1000)
    optimizer = optim.Adam([parameter], lr=0.1)
    optimizer.step()
    step = optimizer.state[parameter]["step"].clone()
    parameter.untyped_storage().resize_(40)
    with pytest.raises(ValueError, match="parameter 0 is a Parameter without memory"):
        optimizer.step()
    assert optimizer.state[parameter]["step"] == step
