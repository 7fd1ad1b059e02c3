"""Tensors whose memory is not what it seems raise before anything is written. DLPack gives several of them
without an error; those traps are named."""

import copy

import pytest

from support.arrays import normal, to_torch

torch = pytest.importorskip("torch")

from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402
from torch.utils._pytree import tree_map  # noqa: E402

from gradstep import optim, rules  # noqa: E402

SHAPE = (2, 3)


def tensor(seed=0):
    return to_torch(normal(seed, SHAPE)).clone()


class Wrapper(torch.Tensor):
    """A tensor that wraps another one, as DTensor does."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        unwrap = lambda x: x.inner if isinstance(x, Wrapper) else x  # noqa: E731
        found = function(*tree_map(unwrap, args), **tree_map(unwrap, kwargs or {}))
        return tree_map(lambda x: Wrapper(x) if isinstance(x, torch.Tensor) else x, found)


def fake():
    with FakeTensorMode():
        return torch.ones(SHAPE)


def freed():
    made = tensor()
    made.untyped_storage().resize_(0)
    return made


def negated():
    # the imaginary part of a conjugated view is such a tensor
    return torch.complex(tensor(1), tensor(2)).conj().imag


# Tensors that are refused as parameters and as gradients, with words of the error.
BAD = {
    # Trap: DLPack gives these with no data, and no error.
    "wrapper": (lambda: Wrapper(tensor()), "is a Wrapper without memory"),
    "fake": (fake, "is a FakeTensor without memory"),
    "freed": (freed, "its storage was freed or resized"),
    # Trap: DLPack ignores the bit, so the signs would be wrong.
    "negated": (negated, r"lazily negated or conjugated view: pass \.resolve_neg\(\)"),
    "integer": (lambda: torch.ones(SHAPE, dtype=torch.int32), r"has dtype torch.int32: .* \.to\(dtype\)"),
    "8-bit": (lambda: torch.ones(SHAPE).to(torch.float8_e4m3fn), "has dtype torch.float8_e4m3fn"),
    "meta": (lambda: torch.ones(SHAPE, device="meta"), r"is on meta: .* move it with \.cpu\(\)"),
    "sparse": (lambda: tensor().to_sparse(), r"is sparse \(torch.sparse_coo\): .* pass \.to_dense\(\)"),
    "sparse rows": (lambda: tensor().to_sparse_csr(), r"is sparse \(torch.sparse_csr\)"),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("kind", BAD)
def test_gradients(kind):
    make, message = BAD[kind]
    import gradstep

    arrays = [tensor(1), tensor(2), tensor(3)]
    optimizer = gradstep.Adam(arrays, lr=0.1)
    gradients = [tensor(4), tensor(5), tensor(6)]
    optimizer.step(gradients)
    before = [a.clone() for a in arrays], copy.deepcopy(optimizer.state)
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=f"^the gradient of parameter 1 .*{message}"):
            optimizer.step([tensor(7), make(), tensor(8)])
    for a, kept in zip(arrays, before[0], strict=True):
        assert torch.equal(a, kept)
    for now, then in zip(optimizer.state, before[1], strict=True):
        assert all((now[name] == then[name]).all() for name in then)


@pytest.mark.parametrize("kind", BAD)
def test_parameters(kind):
    make, message = BAD[kind]
    import gradstep

    with pytest.raises((TypeError, ValueError), match=f"^parameter 1 .*{message}"):
        gradstep.SGD([tensor(1), make()], lr=0.5)


def test_a_sparse_gradient_for_a_rule_by_which_rows_do_not_rest():
    embedding = torch.nn.Embedding(5, 3, sparse=True)
    linear = torch.nn.Linear(3, 1)
    optimizer = optim.SGD([*linear.parameters(), *embedding.parameters()], lr=0.5, momentum=0.9)
    linear(embedding(torch.tensor([1, 2]))).sum().backward()
    before = [p.detach().clone() for p in (*linear.parameters(), *embedding.parameters())]
    with pytest.raises(TypeError, match=r"the gradient of parameter 2 is sparse \(torch.sparse_coo\)"):
        optimizer.step()
    for p, kept in zip((*linear.parameters(), *embedding.parameters()), before, strict=True):
        assert torch.equal(p, kept)


class DeviceMesh:
    """Processes for the tests of DTensor: this one."""

    def __init__(self, folder):
        self.store = f"file://{folder}/store"

    def __enter__(self):
        torch.distributed.init_process_group("gloo", self.store, rank=0, world_size=1)
        return torch.distributed.init_device_mesh("cpu", (1,))

    def __exit__(self, *_):
        torch.distributed.destroy_process_group()


#: parameters that no step could update, with words of the refusal when an optimizer is made
UNFIT = {
    "wrapper": (lambda: Wrapper(tensor()), "is a Wrapper without memory, a wrapper around .*: pass those"),
    "8-bit": (lambda: torch.ones(SHAPE).to(torch.float8_e4m3fn), r"has dtype torch.float8_e4m3fn: allowed are"),
    "sparse": (lambda: tensor().to_sparse(), r"is sparse \(torch.sparse_coo\)"),
    "sparse rows": (lambda: tensor().to_sparse_csr(), r"is sparse \(torch.sparse_csr\)"),
    "conjugated": (lambda: torch.ones(SHAPE, dtype=torch.complex64).conj(), "is a lazily negated or conjugated view"),
}
each_class = pytest.mark.parametrize("name", [name for name in optim.__all__ if hasattr(rules, name)])


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("kind", UNFIT)
@each_class
def test_an_optimizer_of_torch_refuses_them_at_once(name, kind):
    make, message = UNFIT[kind]
    make_optimizer = getattr(optim, name)
    plain, unfit = torch.nn.Parameter(tensor()), make().requires_grad_()
    message = f"^parameter 2 {message}"
    if name == "SparseAdam" and "sparse" in kind:
        message = r"^Sparse params at indices \[\[1, 1\]\]: SparseAdam requires dense parameter tensors"
    elif name == "SparseAdam" and kind == "conjugated":
        message += "|does not support complex parameters"
    groups = [{"params": [plain]}, {"params": [torch.nn.Parameter(tensor()), unfit]}]
    with pytest.raises((TypeError, ValueError), match=message):
        make_optimizer(groups)
    optimizer = make_optimizer([plain])
    with pytest.raises((TypeError, ValueError), match=message):
        optimizer.add_param_group(groups[1])
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_frozen_ones_are_taken_as_by_torch(name):
    # 8-bit weights with adapters: programs pass all of model.parameters().
    frozen = [make() for make, _ in UNFIT.values()] + [torch.ones(SHAPE, dtype=torch.uint8)]
    p = torch.nn.Parameter(tensor())
    getattr(torch.optim, name)([*frozen, p])
    optimizer = getattr(optim, name)([*frozen, p], lr=0.5)
    p.grad = tensor(1)
    before = p.detach().clone()
    optimizer.step()
    assert not torch.equal(p, before)


def lazy():
    return torch.nn.LazyLinear(3).weight


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize("make", [fake, freed, lazy, lambda: torch.ones(SHAPE, device="meta")])
def test_those_without_memory_yet_are_taken_as_by_torch(make):
    p = make()
    if not p.requires_grad:
        p.requires_grad_()
    torch.optim.Adam([p])
    optim.Adam([p])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([[1.0, 2.0]], TypeError, "optimizer can only optimize Tensors"),
        ([torch.ones(2, requires_grad=True) * 2], ValueError, "can't optimize a non-leaf Tensor"),
    ],
)
@each_class
def test_what_torch_refuses_in_its_words(name, given, error, message):
    for module in (torch.optim, optim):
        if hasattr(module, name):
            with pytest.raises(error, match=message):
                getattr(module, name)(given)


def test_a_tensor_over_several_processes_and_what_its_refusal_advises(tmp_path):
    distributed = pytest.importorskip("torch.distributed.tensor")
    if not hasattr(distributed, "Shard"):
        pytest.skip("this torch has no public DTensor")
    with DeviceMesh(tmp_path) as mesh:
        p = torch.nn.Parameter(distributed.distribute_tensor(tensor(), mesh, [distributed.Shard(0)]))
        with pytest.raises(TypeError, match=r"^parameter 0 is a DTensor, .* local = p\.detach\(\)\.to_local\(\)"):
            optim.Adam([p])
        local = p.detach().to_local().requires_grad_()
        optimizer = optim.SGD([local], lr=0.5)
        (p * p).sum().backward()
        local.grad = p.grad.to_local()
        optimizer.step()
        assert torch.equal(p.full_tensor(), torch.zeros(SHAPE))  # p - p
