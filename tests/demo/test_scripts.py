"""The plain scripts: each runs alone for seconds and learns, and trains as the example of its name does."""

import ast
import math
import re
from collections import Counter
from importlib import resources

import numpy as np
import pytest
from torch import nn

import gradstep_demo
from gradstep import Linear, optim
from gradstep_demo import linear_regression as line
from gradstep_demo import names
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.data import mnist
from gradstep_demo.outcome import Options
from gradstep_demo.reference_text import python_reference
from gradstep_demo.task import Plan
from gradstep_demo.training import Training
from support.observed_script import observe, recorded_optimizers, shapes

FOLDER = resources.files(gradstep_demo) / "scripts"
CPU_SECONDS = 10  # of the process, imports and all: a busy machine stretches the clock but not these
LINES = 40


def script(name):
    return FOLDER / f"{name.replace('-', '_')}.py"


def numbers(pattern, printed):
    """What the pattern's group matched, in order: at least one number."""
    found = [float(each) for each in re.findall(pattern, printed)]
    assert found, printed
    return found


def accuracies(printed):
    return [percent / 100 for percent in numbers(r"accuracy ([\d.]+)%", printed)]


def nearest_mean():
    """The share of the test digits whose class has the nearest mean: 0.82, which a network must exceed."""
    x, y, x_test, y_test = mnist()
    means = np.stack([x[y == kind].mean(0) for kind in range(10)])
    distances = ((x_test[:, None] - means) ** 2).sum((2, 3, 4))
    return np.mean(distances.argmin(1) == y_test)


def entropy(text):
    """In nats for each character: what a model loses that knows how frequent each is, and nothing else."""
    shares = np.array(list(Counter(text).values())) / len(text)
    return -np.sum(shares * np.log(shares))


def finds_the_line(printed):
    slope, intercept = np.polyfit(line.x, line.y, 1)
    assert f"w = {slope:.6f}, b = {intercept:.6f}" in printed


def tells_digits(printed):
    assert accuracies(printed)[-1] > nearest_mean()


def follows_the_strategies(printed):
    found = accuracies(printed)
    assert len(found) == 6
    assert min(found) > 0.5
    assert sorted(found)[1] > nearest_mean()  # the slowest, at a fixed 0.01, is not there yet


def goes_the_same_way(printed):
    assert min(accuracies(printed)) > nearest_mean()
    assert numbers(r"differ by (\S+)", printed)[0] < 1e-5  # 200 updates, each rounded at 6e-8 of a parameter


def fits_patients(printed):
    jumping, settled = numbers(r"validation loss (\S+)", printed)
    # Their mean as the only answer leaves 0.059; the least squares of the training rows leave 0.032.
    assert settled < 0.05
    assert jumping < 0.2  # of about 0.5 untrained: a rate near 0.1 is high for so small a model, as the example says
    straight, compounding = numbers(r"last rate ([^,]+),", printed)
    assert straight == pytest.approx(0.1 / 1.49, rel=1e-2)
    assert compounding < 1e-5


def reaches_the_documents_error(printed):
    assert numbers(r"validation loss (\S+)", printed)[0] < 0.025


def tells_made_digits(printed):
    judged = numbers(r"discriminator (\S+)", printed)
    assert judged[-1] < 0.8 * judged[0]
    assert judged[-1] < 0.8 * 2 * math.log(2)  # what a coin loses on a real digit and a made one
    assert len(printed.split("draws it:\n")[1].splitlines()) == 14


def knows_more_than_frequencies(printed):
    last = numbers(r"held-out text: (\S+) bits", printed)[0]
    assert last < entropy(python_reference().held_out) / math.log(2)


def writes_what_it_learned(printed):
    assert numbers(r"update \d+: (\S+) bits", printed)[-1] < entropy(python_reference().train) / math.log(2)
    cold, _, hot = (set(text) for text in re.findall(r"at temperature \S+ (.*)", printed))
    assert len(cold) < len(hot)  # a higher temperature draws more of the rare characters


def translates_better_than_frequencies(printed):
    characters = "".join(f"{wanted}\3" for _, wanted in names.load().train)
    assert numbers(r"batch (\S+)", printed)[0] < entropy(characters)
    assert re.search(r".+ -> .* - wanted: .+", printed)


def learns_both_tasks(printed):
    x, _, x_test, _ = mnist()
    assert max(numbers(r"digit (\S+),", printed)) < math.log(10) / 2  # half of what a guess loses
    assert max(numbers(r"image (\S+)", printed)) < np.mean((x_test - x.mean(0)) ** 2)  # of the mean image for each
    assert printed.count("test loss") == 3


#: what each script prints
RESULTS = {
    "linear-regression": finds_the_line,
    "mnist-cnn": tells_digits,
    "mnist-decay": tells_digits,
    "mnist-mlp": tells_digits,
    "compounding-decay": fits_patients,
    "keras-cnn": tells_digits,
    "rate-strategies": follows_the_strategies,
    "two-tasks": learns_both_tasks,
    "own-optimizer": goes_the_same_way,
    "boston-mlp": reaches_the_documents_error,
    "recurrent-network": tells_digits,
    "gan": tells_made_digits,
    "language-model": knows_more_than_frequencies,
    "translation": translates_better_than_frequencies,
    "text-generation": writes_what_it_learned,
}

#: the settings of an example that its script has, where it has not all
SETTINGS = {"mnist-mlp": ["document"], "mnist-decay": ["epochs"], "keras-cnn": ["scheduled"]}

#: the script has a shorter model, with torch's attention
OWN_MODEL = {"translation"}


def trainings(name, count):
    """The example's trainings with the settings of its script, for so many epochs or updates."""
    program = gradstep_demo.load(name).PROGRAM
    task = program.task(Options())
    chosen = [each for each in program.settings if each.name in SETTINGS.get(name, [each.name])]
    for settings in chosen:
        for library in program.libraries if name == "own-optimizer" else [GRADSTEP]:
            yield Training(Plan(task, settings.adapted(Options(epochs=count)), seed=0), library)


def assert_same_training(name, facts):
    """The model, the batch, and each optimizer with its options and its rate."""
    settings = facts["settings"]
    with recorded_optimizers() as expected:
        examples = list(trainings(name, settings.get("EPOCHS") or settings["UPDATES"]))
    assert {training.plan.settings.batch for training in examples} == {settings["BATCH"]}
    model = examples[0].learner.model
    parts = {"model": model} if name != "gan" else {"generator": model.generator, "discriminator": model.discriminator}
    if name not in OWN_MODEL:
        assert {part: facts["models"][part] for part in parts} == {part: shapes(each) for part, each in parts.items()}
    if name == "keras-cnn":
        plan = examples[0].plan
        assert facts["rate"] == repr(plan.settings.lr(plan.span))
        return
    if name == "own-optimizer":
        expected.reverse()  # the script begins with the one by hand
    assert facts["optimizers"] == expected


@pytest.mark.parametrize("name", RESULTS)
def test_script_runs_alone_and_trains_as_its_example(name, tmp_path):
    observed = observe(script(name), tmp_path)
    RESULTS[name](observed.printed)
    assert observed.facts["seconds"] < CPU_SECONDS
    if name == "linear-regression":
        assert observed.facts["settings"] == {"ITERATIONS": line.ITERATIONS}
        assert f"lr={line.LEARNING_RATE})" in gradstep_demo.source(name)
    else:
        assert_same_training(name, observed.facts)


def test_every_example_has_a_script():
    files = {file.name for file in FOLDER.iterdir() if file.name.endswith(".py")}
    assert files == {script(name).name for name in gradstep_demo.DESCRIPTIONS}
    assert set(RESULTS) == set(gradstep_demo.DESCRIPTIONS)


#: what a document's program may import: libraries, and one module of the demo that holds data
LIBRARIES = {"math", "os", "numpy", "torch", "keras", "gradstep"}
DATA = {"data", "tables", "names", "reference_text"}


@pytest.mark.parametrize("name", RESULTS)
def test_script_is_short_and_plain(name):
    text = gradstep_demo.source(name)
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    code = [row for row in text.splitlines()[tree.body[0].end_lineno :] if row.strip()]
    assert len(code) <= LINES
    assert "Corrected: " in docstring
    assert f"document {re.search(r'document (.*?)[)]', gradstep_demo.DESCRIPTIONS[name])[1][0]}" in docstring
    assert text.isascii()  # so that it can be written anywhere
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported += [f"{node.module}.{each.name}" for each in node.names]
    own = [each.split(".")[1] for each in imported if each.startswith("gradstep_demo.")]
    assert {each.partition(".")[0] for each in imported} <= LIBRARIES | {"gradstep_demo"}
    assert len(own) <= 1
    assert set(own) <= DATA


def test_the_recorder_sees_options_and_rates():
    with recorded_optimizers() as found:
        optim.SGD(nn.Linear(1, 1).parameters(), lr=Linear(1, 0, 9), momentum=0.5)
    assert found[0]["class"] == "SGD"
    assert found[0]["options"]["momentum"] == "0.5"
    assert found[0]["rates"] == [repr(Linear(1, 0, 9))]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import socket\nsocket.create_connection(('localhost', 9))", "reached for the network"),
        ("open({outside!r}, 'w')", "wrote the file"),
    ],
)
def test_scripts_are_refused_the_network_and_files(code, message, tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "reaching.py").write_text(code.format(outside=str(tmp_path / "outside")))
    with pytest.raises(AssertionError, match=message):
        observe(tmp_path / "reaching.py", tmp_path / "inside")
    assert not (tmp_path / "outside").exists()
