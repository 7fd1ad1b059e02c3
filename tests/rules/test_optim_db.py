"""torch's own list of configurations, run here and on torch's for-loop path."""

import copy
import itertools

import numpy as np
import pytest

from support.arrays import assert_same_bits, to_numpy

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="torch's test lists import expecttest")
from torch.testing._internal import common_optimizers  # noqa: E402

from gradstep import optim, rules  # noqa: E402

INFOS = [info for info in common_optimizers.optim_db if info.optim_cls.__name__ in rules.ALL]
# Both round each step, torch twice where we use fma, and the roundings add up over the steps.
ULPS = 4
STEPS = 5
SEEDS = [0, 1, 8]


def described(values):
    return [f"{info.optim_cls.__name__}-{i}-{given.desc}" for info, i, given in values]


#: SparseAdam takes no dense gradients in torch
DENSE = [info for info in INFOS if info.optim_cls.__name__ != "SparseAdam"]
INPUTS = [(info, i, given) for info in DENSE for i, given in enumerate(info.optim_inputs_func(device="cpu"))]
ERRORS = [
    (info, i, given)
    for info in INFOS
    for i, given in enumerate(info.optim_error_inputs_func(device="cpu", dtype=torch.float32))
]


def test_every_class_of_torch_is_in_the_list():
    assert {i.optim_cls.__name__ for i in INFOS} == {n for n in rules.ALL if hasattr(torch.optim, n)}


@pytest.fixture(params=[torch.float32, torch.float64], ids=["f32", "f64"])
def dtype(request):
    # torch keeps NAdam's product and ASGD's rates in the default dtype, so it is float64's own only then.
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


def small_model(seed):
    """The model of torch's own comparisons of its paths."""
    torch.manual_seed(seed)
    sizes = (2, 3, 1)
    layers = [[torch.nn.Linear(n, m), torch.nn.Sigmoid()] for n, m in itertools.pairwise(sizes)]
    return torch.nn.Sequential(*itertools.chain.from_iterable(layers))


def backward(model):
    for parameter in model.parameters():
        parameter.grad = None
    points = torch.arange(1, 7).div(10).view(3, 2)
    model(points).sum().backward()


def copy_gradients(of, to):
    for mine, theirs in zip(to.parameters(), of.parameters(), strict=True):
        mine.grad = theirs.grad.clone()


def scales(history):
    """The largest magnitudes that each parameter had at the start or the end, and that its updates had."""
    return [
        np.max(np.abs([each[0], each[-1], *np.diff(each, axis=0)]), axis=0)
        for each in map(np.array, zip(*history, strict=True))
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("info", "i", "given"), INPUTS, ids=described(INPUTS))
def test_configuration(info, i, given, dtype, seed):
    theirs = small_model(seed)
    ours = copy.deepcopy(theirs)
    torch_class, kwargs = info.optim_cls, given.kwargs
    own_class = getattr(optim, torch_class.__name__)
    for_loop = dict.fromkeys(["foreach", "fused"] if "fused" in info.supported_impls else ["foreach"], False)
    reference = torch_class(theirs.parameters(), **{**copy.deepcopy(kwargs), **for_loop})
    optimizer = own_class(ours.parameters(), **copy.deepcopy(kwargs))
    history = [[to_numpy(p).copy() for p in theirs.parameters()]]
    for _ in range(STEPS):
        backward(theirs)
        copy_gradients(theirs, ours)  # the model would feed each difference back
        reference.step()
        optimizer.step()
        history.append([to_numpy(p).copy() for p in theirs.parameters()])
    for mine, other, scale in zip(ours.parameters(), theirs.parameters(), scales(history), strict=True):
        assert mine.dtype == dtype
        assert np.all(np.abs(to_numpy(mine - other)) <= ULPS * np.spacing(scale))


COMPLEX = [(info, i, given) for info, i, given in INPUTS if info.supports_complex]


def test_every_class_of_torch_but_sparse_adam_takes_complex_parameters():
    assert {info.optim_cls.__name__ for info, *_ in COMPLEX} == {info.optim_cls.__name__ for info in DENSE}


@pytest.mark.grid
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("info", "i", "given"), COMPLEX, ids=described(COMPLEX))
def test_complex_configuration(info, i, given, dtype, seed):
    shapes = [(3, 4), (), (2, 1, 5)]
    random = torch.Generator().manual_seed(seed)
    kind = torch.complex64 if dtype == torch.float32 else torch.complex128
    numbers = lambda: [torch.randn(shape, dtype=kind, generator=random) for shape in shapes]  # noqa: E731
    theirs = numbers()
    ours, pairs = [p.clone() for p in theirs], [torch.view_as_real(p.clone()) for p in theirs]
    torch_class, own_class = info.optim_cls, getattr(optim, info.optim_cls.__name__)
    for_loop = dict.fromkeys(["foreach", "fused"] if "fused" in info.supported_impls else ["foreach"], False)
    reference = torch_class(theirs, **{**copy.deepcopy(given.kwargs), **for_loop})
    optimizer, twin = (own_class(params, **copy.deepcopy(given.kwargs)) for params in (ours, pairs))
    history = [[reals(p) for p in theirs]]
    for _ in range(STEPS):
        for p, q, r, gradient in zip(theirs, ours, pairs, numbers(), strict=True):
            p.grad, q.grad, r.grad = gradient.clone(), gradient, torch.view_as_real(gradient)
        for each in (reference, optimizer, twin):
            each.step()
        history.append([reals(p) for p in theirs])
    for mine, other, pair, scale in zip(ours, theirs, pairs, scales(history), strict=True):
        assert mine.dtype == kind
        assert_same_bits(reals(mine), to_numpy(pair))
        assert np.all(np.abs(reals(mine) - reals(other)) <= ULPS * np.spacing(scale))
    assert_same_state(optimizer, ours, reference, theirs)


def assert_same_state(optimizer, ours, reference, theirs):
    """The same names, dtypes and shapes; states of complex parameters are complex."""
    for mine, other in zip(ours, theirs, strict=True):
        found, expected = optimizer.state[mine], reference.state[other]
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape), name


def reals(tensor):
    return to_numpy(torch.view_as_real(tensor)).copy()


#: torch's refusals that do not hold here, and why
ALLOWED = {
    "lr as Tensor doesn't work with foreach & not capturable": "foreach has no meaning: there is one path",
    "betas must be either both floats or both Tensors": "each may be a number or a tensor",
    r"betas\[0\] as a Tensor is not supported for capturable=False and foreach=True": "as for lr",
}


@pytest.mark.parametrize(("info", "i", "given"), ERRORS, ids=lambda v: str(getattr(v, "error_regex", ""))[:40])
def test_error(info, i, given):
    given, kind, message = given.optimizer_error_input, given.error_type, given.error_regex
    params = given.params if given.params is not None else [torch.nn.Parameter(torch.randn(3))]
    if given.desc in ALLOWED:
        getattr(optim, info.optim_cls.__name__)(params, **given.kwargs)
        return
    with pytest.raises(kind, match=message) if kind is not UserWarning else pytest.warns(kind, match=message):
        getattr(optim, info.optim_cls.__name__)(params, **given.kwargs)


@pytest.mark.skipif(
    "Tensor" not in str(torch.optim.Adam.__init__.__annotations__["betas"]),
    reason="this torch takes no tensors as betas",
)
def test_the_allowances_are_in_torchs_list():
    found = {given.optimizer_error_input.desc for _, _, given in ERRORS}
    assert set(ALLOWED) <= found
