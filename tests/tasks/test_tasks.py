"""Several tasks: separate rates, the mean of their gradients, and adaptive weights, against autograd."""

import json

import ml_dtypes
import numpy as np
import pytest

import gradstep
from gradstep import tasks
from gradstep.logs.norms import norm
from support.arrays import DTYPES, assert_same_bits, normal, to_numpy, to_torch
from support.tolerances import SINGLE, TENS_OF_ULP

torch = pytest.importorskip("torch")

F64 = 1e-12  # float64 in another order of operations, over tens of steps


def test_every_task_has_its_own_rate():
    arrays = {name: [np.ones(2)] for name in ("shared", "a", "b")}
    decay = gradstep.Linear(0.5, 0.0, steps=4)
    groups = tasks.task_groups(arrays, {"shared": 0.25, "a": decay, "b": 0.125})
    optimizer = gradstep.SGD(groups)
    for _ in range(2):
        optimizer.step([np.ones(2)] * 3)
    assert [group["task"] for group in optimizer.param_groups] == ["shared", "a", "b"]
    moved = {name: 1 - each[0][0] for name, each in arrays.items()}
    assert moved == {"shared": 0.5, "a": 0.5 + 0.375, "b": 0.25}


def test_groups_that_do_not_fit_are_refused():
    weight = np.zeros(1)
    with pytest.raises(ValueError, match="parameters are of a, but rates of a, b: give each task both"):
        tasks.task_groups({"a": [weight]}, {"a": 0.1, "b": 0.1})
    with pytest.raises(ValueError, match="parameter 0 of 'b' is also in 'a': give shared parameters a separate name"):
        tasks.task_groups({"a": [weight], "b": [weight]}, {"a": 0.1, "b": 0.1})


@pytest.mark.parametrize("as_kind", [np.copy, to_torch], ids=["numpy", "torch"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_are_combined_in_place(as_kind, dtype):
    weights = [0.75, -0.5, 2.0]
    arrays = [[normal(10 * k + i, 50 + i, dtype) for i in range(3)] for k in range(3)]
    given = [[as_kind(array.copy()) for array in each] for each in arrays]
    given[0][1] = given[0][2] = given[1][2] = given[2][2] = None
    first = [given[0][0], given[1][1], None]
    combined = tasks.weighted_sum(given, weights)
    assert all(found is expected for found, expected in zip(combined, first, strict=True))
    exact = [[array.astype(np.float64) for array in each] for each in arrays]
    expected = [sum(w * each[0] for w, each in zip(weights, exact, strict=True)), 2 * exact[2][1] - 0.5 * exact[1][1]]
    # three products and two sums, each rounded once, of numbers below 8
    tolerance = 40 * float(ml_dtypes.finfo(DTYPES[dtype]).eps)
    for found, total in zip(combined, expected, strict=False):
        values = found if as_kind is np.copy else to_numpy(found)
        np.testing.assert_allclose(values.astype(np.float64), total, atol=tolerance, rtol=0)
    unread = given[2][0] if as_kind is np.copy else to_numpy(given[2][0])
    assert_same_bits(unread, arrays[2][0])


def test_the_mean_divides_by_the_weights():
    gradients = [[normal(1, 7, "f64")], [normal(2, 7, "f64")], [None]]
    expected = (3 * gradients[0][0] + 4 * gradients[1][0]) / 9
    (mean,) = tasks.weighted_mean(gradients, np.array([3, 4, 2], np.float32))
    np.testing.assert_allclose(mean, expected, rtol=F64)


def test_the_sum_is_the_gradient_of_the_weighted_loss():
    weight = torch.tensor([1.0, 2.0], requires_grad=True)
    losses = [(weight**2).sum(), weight.prod()]
    of_tasks = [torch.autograd.grad(loss, [weight], retain_graph=True) for loss in losses]
    (expected,) = torch.autograd.grad(0.5 * losses[0] + 3 * losses[1], [weight])
    assert torch.equal(tasks.weighted_sum(of_tasks, [0.5, 3])[0], expected)


@pytest.mark.parametrize(
    ("gradients", "weights", "message"),
    [
        ([[np.ones(1)]], [1, 2], "got 2 weights for the gradients of 1 tasks: pass one for each"),
        ([], [], "got 0 weights for the gradients of 0 tasks"),
        ([[np.ones(1)], []], [1, 1], "task 1 has 0 gradients and task 0 has 1"),
        ([[np.ones(3)], [np.ones(1)]], [1, 1], r"parameter 0 has shape \(1,\) in task 1 and \(3,\) in task 0"),
        ([[np.ones(1)]], [np.nan], r"weights\[0\] is nan: it must be a finite number"),
        ([[np.ones(1)], [np.ones(1)]], [1, -1], r"weights are \[1.0, -1.0\]: their sum must be above 0"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(gradients, weights, message):
    with pytest.raises(ValueError, match=message):
        tasks.weighted_mean(gradients, weights)
    assert all((array == 1).all() for each in gradients for array in each)


def test_one_array_for_two_tasks_is_refused():
    shared = np.ones(2)
    with pytest.raises(ValueError, match="parameter 0 is the same array in the tasks 0 and 1: copy a task's gradients"):
        tasks.weighted_sum([[shared], [shared]], [1, 1])


def two_tasks(weight):
    """A squared error and a cross entropy of one vector of parameters."""
    features = torch.tensor([[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]], dtype=torch.float64)
    outputs = features @ weight
    regression = ((outputs - torch.tensor([3.0, -1.0], dtype=torch.float64)) ** 2).mean()
    return [regression, torch.nn.functional.softplus(-outputs).sum()]


def gradients_of(losses, weight):
    return [torch.autograd.grad(loss, [weight], retain_graph=True) for loss in losses]


def test_uncertainty_weights_train_as_parameters_of_the_model():
    weight, expected, s = (torch.full((n,), 0.5 if n == 3 else 0.0, dtype=torch.float64) for n in (3, 3, 2))
    for tensor in (weight, expected, s):
        tensor.requires_grad_()
    jointly = torch.optim.Adam([expected, s], lr=0.05)
    optimizer = torch.optim.Adam([weight], lr=0.05)
    balance = tasks.UncertaintyWeights(["regression", "classification"], lr=0.05)
    for _ in range(30):
        jointly.zero_grad()
        mse, entropy = two_tasks(expected)
        # Kendall et al. with s = log(sigma^2): L1 / (2 sigma1^2) + L2 / sigma2^2 + log(sigma1 sigma2)
        (mse / (2 * s[0].exp()) + entropy / s[1].exp() + s.sum() / 2).backward()
        jointly.step()
        losses = two_tasks(weight)
        weight.grad = tasks.weighted_sum(gradients_of(losses, weight), balance.weights)[0]
        optimizer.step()
        balance.update(losses)
    np.testing.assert_allclose(to_numpy(weight), to_numpy(expected), rtol=F64)
    np.testing.assert_allclose(balance.weights, [0.5, 1] * np.exp(-to_numpy(s)), rtol=F64)


def test_uncertainty_weights_come_to_rest_where_w_times_the_loss_is_a_half():
    balance = tasks.UncertaintyWeights(["regression", "classification"], lr=0.5, rule=gradstep.SGD)
    for _ in range(200):
        balance.update([0.25, 2.0])
    np.testing.assert_allclose(balance.weights, [2.0, 0.25], rtol=SINGLE)


def gradnorm_loss(weights, losses, first_losses, weight, alpha):
    """L_grad of Chen et al. with a graph from the weights to it."""
    sizes = torch.stack(
        [
            torch.autograd.grad(w * loss, [weight], create_graph=True)[0].norm()
            for w, loss in zip(weights, losses, strict=True)
        ]
    )
    pace = torch.stack(losses).detach() / first_losses
    target = (sizes.mean() * (pace / pace.mean()) ** alpha).detach()
    return (sizes - target).abs().sum()


def test_gradnorm_is_the_papers_algorithm():
    weight = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
    weights = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.03)
    balance = tasks.GradNorm(tasks=2, alpha=0.7, lr=0.03)
    first_losses = torch.stack(two_tasks(weight)).detach()
    seen = []
    for _ in range(40):
        losses = two_tasks(weight)
        of_tasks = gradients_of(losses, weight)
        weights.grad = torch.autograd.grad(gradnorm_loss(weights, losses, first_losses, weight, 0.7), [weights])[0]
        optimizer.step()
        with torch.no_grad():
            weights *= 2 / weights.sum()
        norms = [norm(each) for each in of_tasks]
        (gradient,) = tasks.weighted_sum(of_tasks, balance.weights)
        balance.update(losses, norms)
        seen.append(balance.weights)
        np.testing.assert_allclose(balance.weights, to_numpy(weights), rtol=F64)
        with torch.no_grad():
            weight -= 0.05 * gradient
    assert np.ptp([each[0] for each in seen]) > 0.2


def test_gradnorm_keeps_the_weights_from_falling_below_0():
    balance = tasks.GradNorm(tasks=2, lr=1.5, rule=gradstep.SGD)
    balance.update([1.0, 1.0], [3.0, 1.0])
    assert balance.weights.tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: (tasks.UncertaintyWeights(["regression"] * 2, lr=0.05), ()),
        lambda: (tasks.GradNorm(tasks=2, lr=0.05), ([3.0, 1.0],)),
    ],
    ids=["uncertainty", "gradnorm"],
)
def test_moving_weights_go_on_where_they_were_saved(make):
    never, norms = make()
    saved, _ = make()
    for t in range(6):
        resumed, _ = make()
        resumed.load_state_dict(saved.state_dict())
        saved = resumed
        for each in (never, saved):
            each.update([2.0 / (t + 1), 1.5], *norms)
    assert saved.weights.tolist() == never.weights.tolist()
    assert len(set(never.weights)) == 2


def test_losses_that_can_not_be_used_change_nothing():
    uncertainty = tasks.UncertaintyWeights(["regression", "classification"])
    gradnorm = tasks.GradNorm(tasks=2)
    with pytest.raises(ValueError, match=r"losses\[1\] is nan: it must be a finite number"):
        uncertainty.update([1.0, np.nan])
    with pytest.raises(ValueError, match="got 1 losses for 2 tasks: pass one for each"):
        uncertainty.update([1.0])
    with pytest.raises(ValueError, match=r"losses are \[1.0, 0.0\]: they must be above 0"):
        gradnorm.update([1.0, 0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="got 3 norms for 2 tasks"):
        gradnorm.update([1.0, 1.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"kinds\[0\] is 'ranking': it must be one of 'regression', 'classification'"):
        tasks.UncertaintyWeights(["ranking"])
    with pytest.raises(ValueError, match="tasks is 0: it counts tasks and must be a whole number, 1 or more"):
        tasks.GradNorm(tasks=0)
    with pytest.raises(ValueError, match="got 3 values for 2 tasks"):
        gradnorm.load_state_dict(tasks.GradNorm(tasks=3).state_dict())
    assert uncertainty.weights.tolist() == [0.5, 1.0]
    assert json.dumps(gradnorm.state_dict()["values"]) == "[1.0, 1.0]"


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_norm_is_formed_in_float64(dtype):
    arrays = [normal(1, (30, 7), dtype), normal(2, 1000, dtype)[::3], None]
    for array in arrays[:2]:
        array[..., 0] *= 200  # their squares overflow in float16
    exact = np.sqrt(sum((array.astype(np.float64) ** 2).sum() for array in arrays[:2]))
    as_tensors = [array if array is None else to_torch(array) for array in arrays]
    # sums of 500 squares in float64, in another order
    assert norm(arrays) == pytest.approx(exact, rel=TENS_OF_ULP)
    assert norm(as_tensors) == pytest.approx(exact, rel=TENS_OF_ULP)


def test_the_norm_of_a_sparse_gradient_adds_up_its_repeated_rows():
    rows = torch.sparse_coo_tensor([[1, 1]], torch.tensor([[3.0], [1.0]]), (4, 1), check_invariants=True)
    assert norm([rows, torch.tensor(3.0)]) == 5.0
