"""accumulate over torch parameters: wide gradients are summed in .grad itself, 16-bit ones in the state."""

import copy
import io
import pickle
import warnings

import numpy as np
import pytest
from test_accumulation import mean

import gradstep
from support.arrays import assert_same_bits, normal, to_numpy, to_torch
from support.cases import ONE_EACH

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402
from support.training import allow_gradients_of  # noqa: E402

N = 3
SIZES = (5, 33)
WIDE = {torch.float32: np.float32, torch.float64: np.float64, torch.bfloat16: np.float32}

each_dtype = pytest.mark.parametrize("dtype", WIDE, ids=str)


def tensors(dtype=torch.float32):
    return [torch.nn.Parameter(to_torch(normal(i, n)).to(dtype)) for i, n in enumerate(SIZES)]


def gradients(t, dtype=torch.float32):
    return [to_torch(normal(100 * t + i, n)).to(dtype) for i, n in enumerate(SIZES)]


def backward(params, t, scale=1.0):
    """A backward pass whose gradients are known."""
    each = gradients(t, params[0].dtype)
    (scale * sum((p * g).sum() for p, g in zip(params, each, strict=True))).backward()


def update(plain, params, batches):
    """The update with the mean, computed without the option."""
    kind = WIDE[params[0].dtype]
    as_arrays = [[to_numpy(g) for g in gradients(t, params[0].dtype)] for t in batches]
    for p, g in zip(params, mean(as_arrays, kind), strict=True):
        total = to_torch(g)
        p.grad = None
        allow_gradients_of(p, total.dtype)
        p.grad = total
    plain.step()


def assert_all_same(params, others):
    for p, q in zip(params, others, strict=True):
        assert_same_bits(to_numpy(p), to_numpy(q))


@pytest.mark.parametrize(
    ("case", "empties"),
    [*((case, "after step") for case in ONE_EACH), (ONE_EACH[0], "before backward"), (ONE_EACH[0], "never")],
    ids=str,
)
@each_dtype
def test_the_update_is_that_of_the_mean(case, dtype, empties):
    params, others = tensors(dtype), tensors(dtype)
    accumulating, plain = case.over_tensors(params, accumulate=N), case.over_tensors(others)
    for t in range(2 * N):
        if empties == "before backward":
            accumulating.zero_grad()
        backward(params, t)
        accumulating.step()
        if empties == "after step":
            accumulating.zero_grad()
        if t % N == N - 1:
            update(plain, others, range(t - N + 1, t + 1))
        assert_all_same(params, others)


@each_dtype
def test_where_the_sum_is(dtype):
    params = tensors(dtype)
    optimizer = optim.SGD(params, lr=0.1, accumulate=2)
    backward(params, 0)
    grad = params[0].grad
    optimizer.step()
    held = optimizer.state[params[0]]["gradient_sum"]
    if dtype == torch.bfloat16:
        assert held.dtype == torch.float32
        assert params[0].grad is None
    else:
        assert held is params[0].grad is grad  # no other copy
    backward(params, 1)
    optimizer.step()
    assert not optimizer.state[params[0]]
    assert (params[0].grad is None) == (dtype == torch.bfloat16)


def test_the_sums_arrays_are_used_again():
    params = tensors(torch.bfloat16)
    optimizer = optim.SGD(params, lr=0.1, accumulate=2)
    places = []
    for t in range(3):
        backward(params, t)
        optimizer.step()
        places += [optimizer.state[p]["gradient_sum"].data_ptr() for p in params if optimizer.state[p]]
    assert places[:2] == places[2:]


def test_sixteen_bit_gradients_are_zeroed_in_place_where_that_is_asked_for():
    params = tensors(torch.bfloat16)
    optimizer = optim.SGD(params, lr=0.1, accumulate=2, zero_grad=True)
    for t in range(2):
        backward(params, t)
        optimizer.step()
        assert all(p.grad is not None and not p.grad.any() for p in params)


def test_parameters_of_several_dtypes_and_some_without_gradients():
    kinds = (torch.bfloat16, torch.float32, torch.float32)
    params = [torch.nn.Parameter(torch.zeros(2, dtype=kind)) for kind in kinds]
    groups = [{"params": params[:1]}, {"params": params[1:]}]
    optimizer = optim.SGD(groups, lr=1.0, accumulate=2)
    for gradient in (1.0, 3.0):
        (gradient * (params[0].sum() + (params[1].sum() if gradient > 1 else 0))).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert [p.tolist() for p in params] == [[-2.0] * 2, [-1.5] * 2, [0.0] * 2]
    assert params[2] not in optimizer.state


def through_file(state_dict):
    file = io.BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("way", ["state_dict", "deepcopy", "pickle"])
@pytest.mark.parametrize("at", range(N + 1))
@each_dtype
def test_a_run_saved_in_the_midst_goes_on_to_the_bit(dtype, at, way):
    options = {"lr": gradstep.Linear(0.1, 0.01, 9), "accumulate": N}
    params = tensors(dtype)
    first = optim.Adam(params, **options)
    for t in range(at):
        backward(params, t)
        first.step()
    if way == "state_dict":
        others = [torch.nn.Parameter(p.detach().clone()) for p in params]
        second = optim.Adam(others, **options)
        backward(others, 77)  # dropped by the load
        second.step()
        second.load_state_dict(through_file(first.state_dict()))
    elif way == "deepcopy":
        second, others = copy.deepcopy((first, params))
    else:
        second, others = pickle.loads(pickle.dumps((first, params)))
    assert second.accumulated == at % N
    for t in range(at, 3 * N):
        for optimizer, trained in ((first, params), (second, others)):
            backward(trained, t)
            optimizer.step()
    assert_all_same(others, params)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_torchs_grad_scaler(dtype):
    """The loop is that of every step; an infinite gradient halves the scale and drops what was added before it."""
    params, others = tensors(dtype), tensors(dtype)
    accumulating, plain = optim.Adam(params, lr=0.1, accumulate=2), optim.Adam(others, lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
    for t in range(10):
        (scaler.scale(sum((p * g).sum() for p, g in zip(params, gradients(t, dtype), strict=True)))).backward()
        if t == 5:
            params[1].grad[3] = torch.inf
        scaler.step(accumulating)
        scaler.update()
        if t in (1, 3, 7, 9):
            update(plain, others, (t - 1, t))
        assert_all_same(params, others)
    assert scaler.get_scale() == 4.0 * 2**4 / 2  # a growth with each update


def test_autograd_notices_the_update_alone():
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([p], lr=0.1, accumulate=2)
    for changes in (False, True):
        before = p._version
        p.sum().backward()
        optimizer.step()
        assert (p._version > before) == changes


def test_a_replaced_gradient_is_refused():
    params = tensors()
    optimizer = optim.SGD(params, lr=0.1, accumulate=2)
    backward(params, 0)
    optimizer.step()
    for p in params:
        p.grad = None  # model.zero_grad()
    with pytest.raises(
        RuntimeError, match=r"the gradient of parameter 0, .* was replaced: call optimizer.zero_grad\(\)"
    ):
        optimizer.step()
    backward(params, 1)
    with pytest.raises(
        RuntimeError, match="the gradient of parameter 0, which holds the sum of the micro-batches before"
    ):
        optimizer.step()


def test_gradients_that_are_differentiated_again():
    p = torch.nn.Parameter(torch.full((2,), 3.0))
    optimizer = optim.SGD([p], lr=1.0, accumulate=2)
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a cycle between p and its gradient
            p.square().sum().backward(create_graph=True)  # torch makes a new sum each time
        optimizer.step()
    assert p.tolist() == [3.0 - 6.0] * 2


def test_unscaling_before_the_step_is_refused():
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([p], lr=0.1, accumulate=2)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale(p.sum()).backward()
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match=r"leave out scaler.unscale_\(optimizer\), the step unscales; to clip"):
        scaler.step(optimizer)
