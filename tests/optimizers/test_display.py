"""The text of optimizers and of the tools around them."""

import copy

import numpy as np
import pytest
import torch

import gradstep
from gradstep import logs, optim, rules, tasks

RATE = gradstep.CosineDecay(0.01, 100).warmup(20)
CODE = "CosineDecay(init=0.01, steps=100).warmup(20)"


def parameters():
    return [torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.ones(4))]


def test_an_optimizer_over_arrays_is_a_line():
    arrays = [np.ones((40, 40)), np.ones(5)]
    optimizer = gradstep.Adam(arrays, lr=RATE, clip_norm=1.0)
    sizes = "clip_norm=1.0; 2 tensors, 1,605 numbers"
    assert repr(optimizer) == f"Adam(lr={CODE} [now 0.0005], {sizes}, 0 updates)"
    for _ in range(19):
        optimizer.step(arrays)
    assert repr(optimizer) == f"Adam(lr={CODE} [now 0.01], {sizes}, 19 updates)"


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (lambda: gradstep.SGD([np.ones(1)]), "SGD(lr=0.001; 1 tensor, 1 number)"),  # it counts no updates
        (lambda: gradstep.Lion([np.ones(2)], lr=1e-4 * 3), "Lion(lr=0.0003; 1 tensor, 2 numbers, 0 updates)"),
        (
            lambda: gradstep.Adam([np.ones(2)], 0.1, (0.9, 0.99)),
            "Adam(lr=0.1, betas=(0.9, 0.99); 1 tensor, 2 numbers, 0 updates)",
        ),
        (
            lambda: gradstep.Adam([np.ones(1)], betas=(gradstep.Linear(0.8, 0.9, 5), 0.99)),
            "Adam(lr=0.001, betas=(Linear(init=0.8, end=0.9, steps=5) [now 0.8], 0.99); 1 tensor, 1 number, 0 updates)",
        ),
        (
            lambda: gradstep.Lion(
                [{"params": [np.ones(2)], "lr": 0.1}, {"params": [np.ones(3)], "weight_decay": 1}], ema=0.9
            ),
            "Lion(ema=0.9; group 0: lr=0.1; group 1: lr=0.0001, weight_decay=1; 2 tensors, 5 numbers, 0 updates)",
        ),
        (
            lambda: gradstep.Lion([{"params": [np.ones(2)], "lr": lr} for lr in range(5)]),
            "Lion(group 0: lr=0; group 1: lr=1; group 2: lr=2; 2 more groups; 5 tensors, 10 numbers, 0 updates)",
        ),
    ],
)
def test_only_what_differs_is_shown(made, line):
    assert repr(made()) == line


def test_an_optimizer_over_torch_parameters_has_the_layout_of_torch():
    named = list(zip("wb", parameters(), strict=True))
    groups = [{"params": named[:1]}, {"params": named[1:], "lr": 0.1, "lr_scale": 0.5}]
    optimizer = optim.AdamW(groups, lr=RATE, clip_norm=1.0)
    assert repr(optimizer) == (
        f"AdamW (\nParameter Group 0\n    lr: {CODE} [now 0.0005]\n    clip_norm: 1.0\n"
        "Parameter Group 1\n    lr: 0.1\n    clip_norm: 1.0\n    lr_scale: 0.5\n)"
    )


def test_a_rate_that_others_have_written_is_shown_without_its_schedule():
    optimizer = optim.SGD(parameters(), lr=RATE)
    optimizer.param_groups[0]["lr"] = 0.25
    assert repr(optimizer) == "SGD (\nParameter Group 0\n    lr: 0.25\n)"


def test_a_schedule_that_waits_for_the_next_step_is_shown():
    optimizer = optim.SGD(parameters(), lr=0.1)
    optimizer.param_groups[0]["lr"] = RATE
    assert repr(optimizer) == f"SGD (\nParameter Group 0\n    lr: {CODE}\n)"


@pytest.mark.parametrize("name", rules.ALL)
def test_every_rule_at_its_defaults(name):
    over_arrays = getattr(gradstep, name)([np.ones((2, 3))])
    assert repr(over_arrays).startswith(f"{name}(lr={over_arrays.defaults['lr']}; 1 tensor, 6 numbers")
    lr = getattr(optim, name)([torch.nn.Parameter(torch.ones(2, 3))])
    assert repr(lr) == f"{name} (\nParameter Group 0\n    lr: {lr.defaults['lr']}\n)"


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("module", [gradstep, optim])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda groups: groups.clear(),
        lambda groups: groups[0].clear(),
        lambda groups: groups[0].update(lr=Unprintable()),
        lambda groups: groups[0].update(betas=0.5, lr=None),
        lambda groups: groups[0].update(lr=[0.1], mine=np.ones(1000)),
        lambda groups: groups[0].update(params=[None]),
    ],
)
def test_it_never_raises(module, spoil):
    optimizer = module.Adam([torch.nn.Parameter(torch.ones(2)) if module is optim else np.ones(2)], lr=RATE)
    spoil(optimizer.param_groups)
    assert "Adam" in repr(optimizer)
    assert len(repr(optimizer)) < 1000
    unmade = module.Adam.__new__(module.Adam)
    assert repr(unmade) == object.__repr__(unmade)


def test_printing_changes_nothing():
    optimizer = gradstep.Adam([np.ones(2)], lr=RATE, ema=0.9)
    before = copy.deepcopy(optimizer.state_dict())
    repr(optimizer)
    assert repr(optimizer.state_dict()) == repr(before)


def averages():
    optimizer = gradstep.SGD([np.ones(2), np.ones(3)], ema=0.9)
    optimizer.step([np.ones(2), None])
    return optimizer.averages


def plateau():
    made = gradstep.Plateau(patience=2, mode="max")
    made.update(0.5)
    made.update(0.25)
    return made


def attached():
    optimizer = torch.optim.SGD(parameters(), lr=0.1)
    made = gradstep.attach(optimizer, lr=RATE)
    made.step()
    return made


def finder():
    made = gradstep.LRFinder(low=1e-4, high=100, updates=50)
    for _ in made:
        made.report(float("nan"))
    return made


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (averages, "Averages(of 1 of 2 parameters of SGD)"),
        (plateau, "Plateau(patience=2, mode='max'; scale 1, best 0.5, 1 reports since)"),
        (lambda: gradstep.Explore(), "Explore(scale 1, best None, 0 reports since)"),
        (attached, f"Attachment(SGD, lr={CODE}; 1 updates)"),
        (finder, "LRFinder(low=0.0001, high=100, updates=50; 0 losses, not finite)"),
        (lambda: tasks.UncertaintyWeights(["regression"]), "UncertaintyWeights(weights=[0.5])"),
        (lambda: tasks.GradNorm(2), "GradNorm(weights=[1, 1])"),
        (lambda: gradstep.Rows(np.array([3, 1]), np.ones((2, 4))), "Rows(2 rows, values of shape (2, 4) and float64)"),
    ],
)
def test_the_tools_are_a_line(made, line):
    assert repr(made()) == line


def test_a_log_is_a_line(tmp_path):
    sink = logs.CsvSink(tmp_path / "run.csv")
    log = logs.StepLog(gradstep.SGD([np.ones(2)], stats=True), sink, every=10)
    assert repr(sink) == f"CsvSink({str(tmp_path / 'run.csv')!r})"
    assert repr(log) == f"StepLog(SGD, {sink!r}, every=10; 0 steps, 0 skipped)"
    sink.close()
    assert repr(sink) == f"CsvSink({str(tmp_path / 'run.csv')!r})"
    assert repr(logs.WandbSink(None)) == "WandbSink(None)"
