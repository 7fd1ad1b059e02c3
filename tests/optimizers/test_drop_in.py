"""gradstep.optim in the place of torch.optim: arguments, groups, hooks, closures, schedulers."""

import copy
import inspect
import pickle

import pytest

from support.arrays import assert_same_bits, to_numpy
from support.cases import CASES, torch_cases

torch = pytest.importorskip("torch")

from torch.optim.optimizer import register_optimizer_step_pre_hook  # noqa: E402

from gradstep import optim, rules  # noqa: E402
from support.training import assert_all_same, give_gradients, steps, tensors  # noqa: E402

each_rule = pytest.mark.parametrize("case", CASES, ids=str)
#: the rules in which a tensor does not depend on the others
each_separate_rule = pytest.mark.parametrize("case", [case for case in CASES if case.scope != "all"], ids=str)
SHARED = [name for name in rules.ALL if hasattr(torch.optim, name)]
each_shared = pytest.mark.parametrize("name", SHARED)


@each_shared
def test_arguments(name):
    def arguments(owner):
        given = inspect.signature(getattr(owner, name)).parameters.values()
        return {p.name: p for p in given if p.kind is not p.VAR_KEYWORD}

    theirs, ours = arguments(torch.optim), arguments(optim)
    positional = [p.name for p in theirs.values() if p.kind is not p.KEYWORD_ONLY]
    assert [p.name for p in ours.values() if p.kind is not p.KEYWORD_ONLY] == positional
    for key in positional:
        assert ours[key].default == theirs[key].default, key
    # The others are keyword-only, with torch's defaults.
    made = getattr(optim, name)(tensors())
    reference = getattr(torch.optim, name)(tensors())
    assert {k: made.defaults[k] for k in reference.defaults} == reference.defaults


@each_shared
def test_groups_have_torchs_keys(name):
    theirs = getattr(torch.optim, name)(tensors()).param_groups[0]
    ours = getattr(optim, name)(tensors()).param_groups[0]
    assert set(theirs) <= set(ours)


@pytest.mark.parametrize("switches", [{"foreach": True}, {"fused": True}, {"capturable": True}])
@pytest.mark.parametrize("name", rules.ALL)
def test_torchs_switches_are_taken(name, switches):
    expected = tensors()
    steps(getattr(optim, name)(expected), expected, [1])
    params = tensors()
    found = steps(getattr(optim, name)(params, **switches), params, [1])
    assert_all_same(found, [to_numpy(p) for p in expected])


@pytest.mark.parametrize("name", rules.ALL)
def test_differentiable_is_refused_with_the_reason(name):
    with pytest.raises(ValueError, match=r"differentiable=True is not offered: .* outside of autograd"):
        getattr(optim, name)(tensors(), differentiable=True)


def test_what_is_not_replaced_is_torchs():
    for name in ("lr_scheduler", "swa_utils", "LBFGS", "Optimizer", "Adafactor"):
        if name == "Adafactor" and not hasattr(torch.optim, name):  # torch 2.4 lacks it
            continue
        assert getattr(optim, name) is getattr(torch.optim, name)
    with pytest.raises(AttributeError):
        _ = optim.NoSuchOptimizer
    for name in rules.ALL:
        assert issubclass(getattr(optim, name), torch.optim.Optimizer)


@each_rule
def test_state_has_torchs_layout(case):
    for shared in torch_cases([case]):
        params, others = tensors(), tensors()
        ours, theirs = shared.over_tensors(params), getattr(torch.optim, case.name)(others, **shared.hyper)
        if case.name == "Adagrad":  # its state is there from the start
            assert set(ours.state[params[0]]) == set(theirs.state[others[0]])
        steps(ours, params, [1])
        steps(theirs, others, [1])
        for p, q in zip(params, others, strict=True):
            assert set(ours.state[p]) == set(theirs.state[q])
            for name, value in theirs.state[q].items():
                found = ours.state[p][name]
                assert (found.shape, found.dtype) == (value.shape, value.dtype), name
        mine, other = ours.state_dict(), theirs.state_dict()
        assert set(mine) == set(other)
        assert set(mine["state"]) == set(other["state"])
        assert [g["params"] for g in mine["param_groups"]] == [g["params"] for g in other["param_groups"]]


KINDS = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128]
#: more arrays of state than by default
WITH = {"SGD": {"momentum": 0.9}, "RMSprop": {"momentum": 0.9, "centered": True}, "Adam": {"amsgrad": True}}
#: ours keep these as exactly as the parameter
EXACT = {"NAdam": {"mu_product"}, "ASGD": {"eta", "mu"}}


def layout_of(optimizer):
    """The contents of a checkpoint of one parameter: dtypes, shapes, strides and devices, or other types."""

    def described(value):
        return (value.dtype, value.shape, value.stride(), value.device) if hasattr(value, "stride") else type(value)

    return {name: described(value) for name, value in optimizer.state_dict()["state"].get(0, {}).items()}


@pytest.mark.grid
@pytest.mark.parametrize("fused", [None, True, False])
@pytest.mark.parametrize("default", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("dtype", KINDS, ids=str)
@each_shared
def test_states_are_made_as_torch_makes_them(name, dtype, default, fused):
    if fused is not None and "fused" not in inspect.signature(getattr(torch.optim, name)).parameters:
        pytest.skip("torch has no fused step of it")
    if fused and dtype.is_complex:
        pytest.skip("torch's fused step takes no complex parameters")
    if dtype.is_complex and not getattr(rules, name).takes_complex:
        pytest.skip("torch refuses these")
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        options = {"state_dtype": "param"} if dtype.itemsize == 2 else {}  # ours are float32 otherwise
        params = [torch.ones(4, 3, dtype=dtype).t() for _ in range(2)]
        given = WITH.get(name, {}) | ({} if fused is None else {"fused": fused})
        ours = getattr(optim, name)(params[:1], lr=0.1, **given, **options)
        theirs = getattr(torch.optim, name)(params[1:], lr=0.1, **given)
        assert layout_of(ours) == layout_of(theirs)  # before the first step
        for p, optimizer in zip(params, (ours, theirs), strict=True):
            p.grad = torch.ones_like(p)
            p.grad = p.grad.to_sparse() if name == "SparseAdam" else p.grad
            optimizer.step()
    finally:
        torch.set_default_dtype(before)
    found, expected = layout_of(ours), layout_of(theirs)
    if name == "SparseAdam":  # whose count is an int in torch, and a tensor as in all other classes here
        assert expected["step"] is int
        expected["step"] = (default, torch.Size(), (), params[0].device)
    if params[0].dtype in (torch.float64, torch.complex128):
        for each in EXACT.get(name, ()):
            assert found.pop(each)[0] == torch.float64
            expected.pop(each)
    assert found == expected


def test_hooks():
    seen = []
    params = tensors()
    optimizer = optim.Adam(params)
    optimizer.register_step_pre_hook(lambda opt, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda opt, args, kwargs: seen.append("after"))
    handle = register_optimizer_step_pre_hook(lambda *_: seen.append("every"))
    steps(optimizer, params, [1])
    handle.remove()
    assert sorted(seen) == ["after", "before", "every"]
    assert seen[-1] == "after"
    optimizer.register_state_dict_post_hook(lambda opt, values: seen.append("saved"))
    optimizer.register_load_state_dict_pre_hook(lambda opt, values: seen.append("loading"))
    optimizer.register_load_state_dict_post_hook(lambda opt: seen.append("loaded"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen[3:] == ["saved", "loading", "loaded"]


@each_rule
def test_closure(case):
    expected = tensors()
    steps(case.over_tensors(expected), expected, [1])
    params = tensors()

    def closure():
        assert torch.is_grad_enabled()
        give_gradients(params, 1)
        return 0.75

    with torch.no_grad():
        assert case.over_tensors(params).step(closure) == 0.75
    assert_all_same(map(to_numpy, params), map(to_numpy, expected))


@each_separate_rule
def test_groups_may_differ_and_be_added(case):
    together, separate = tensors(), tensors()
    optimizer = case.over_tensors([{"params": [together[0]]}])
    optimizer.add_param_group({"params": [together[1]], "lr": 0.125, "weight_decay": 0.25})
    steps(optimizer, together, [1, 2, 3])
    for p, options in zip(separate, ({}, {"lr": 0.125, "weight_decay": 0.25}), strict=True):
        single = case.over_tensors([p], **options)
        for seed in (1, 2, 3):
            give_gradients(separate, seed)
            single.step()
    assert_all_same(map(to_numpy, together), map(to_numpy, separate))


def test_one_tensor_in_a_group():
    weight, bias = tensors()
    optimizer = optim.SGD([{"params": weight}, {"params": bias, "lr": 0.5}], lr=0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.5]


NAMED = "param_names" in inspect.getsource(torch.optim.Optimizer.add_param_group)


@pytest.mark.skipif(not NAMED, reason="this torch takes no parameters with names")
def test_named_parameters():
    weight, bias = tensors()
    named = optim.SGD([("weight", weight), ("bias", bias)], lr=0.5)
    assert named.param_groups[0]["param_names"] == ["weight", "bias"]
    before = to_numpy(bias).copy()
    give_gradients([weight, bias], 1)
    named.step()
    assert_same_bits(to_numpy(bias), before - to_numpy(bias.grad) / 2)


@pytest.mark.parametrize("before", [0, 2])
def test_adagrads_sums_are_shared_among_processes(before):
    params, others = tensors(), tensors()
    optimizer, twin = optim.Adagrad(params, lr=0.5), optim.Adagrad(others, lr=0.5)
    steps(optimizer, params, range(before))
    steps(twin, others, range(before))
    held = [optimizer.state[p]["sum"] for p in params]
    optimizer.share_memory()
    assert all(sums.is_shared() for sums in held)
    assert_all_same(steps(optimizer, params, [3, 4]), steps(twin, others, [3, 4]))
    assert all(optimizer.state[p]["sum"] is sums for p, sums in zip(params, held, strict=True))
    assert_all_same(map(to_numpy, held), [to_numpy(twin.state[q]["sum"]) for q in others])


def test_zero_grad():
    params = tensors()
    optimizer = optim.Adam(params)
    give_gradients(params, 1)
    optimizer.zero_grad(set_to_none=False)
    assert all((p.grad == 0).all() for p in params)
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


@each_rule
def test_parameters_without_gradients_are_left_alone(case):
    params = tensors((4, 5, 6))
    before = to_numpy(params[1]).copy()
    optimizer = case.over_tensors(params)
    for seed in (1, 2):
        give_gradients(params, seed)
        params[1].grad = None
        optimizer.step()
    assert_same_bits(to_numpy(params[1]), before)
    assert not optimizer.state[params[1]].get("step", 0)
    stepped = to_numpy(params[0]).copy()
    optimizer.zero_grad()
    optimizer.step()
    assert_same_bits(to_numpy(params[0]), stepped)


@each_separate_rule
def test_a_parameter_unfrozen_later_has_its_own_first_step(case):
    # Trap: torch's fused SGD starts all buffers or none. t, corrections and buffers are each tensor's own.
    params, late = tensors(), tensors()[1:]
    optimizer = case.over_tensors(params)
    for seed in (1, 2):
        give_gradients(params, seed)
        params[1].grad = None
        optimizer.step()
    twin = case.over_tensors(late)
    for seed in (3, 4, 5):
        give_gradients(params, seed)
        late[0].grad = params[1].grad.clone()
        optimizer.step()
        twin.step()
    assert_same_bits(to_numpy(params[1]), to_numpy(late[0]))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda given: pickle.loads(pickle.dumps(given))])
@each_rule
def test_copies_go_on_alike(case, copied):
    params = tensors()
    optimizer = case.over_tensors(params)
    steps(optimizer, params, [1, 2])
    twin = copied(optimizer)
    twins = twin.param_groups[0]["params"]
    assert_all_same(steps(twin, twins, [3, 4]), steps(optimizer, params, [3, 4]))
    assert twins[0] is not params[0]
