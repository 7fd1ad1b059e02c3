"""The documents' programs, runnable. An example is one file with `run(options, report)`, and a line below.

What an example says is in `settings` (how to train), `task` (what is learned) and `comparison.Program` (both);
`comparison.run` trains and tells. One whose update is not "outputs, loss, gradients, step" brings a `Learner`.
One that shows more adds to the outcome: `comparison.run(...)` in two halves, `train` and `tell`, then `plus`.

Beside each example, `scripts/` holds the program alone, to read and to copy: no framework, and settings at the top
under which it runs for seconds. `tests/demo/test_scripts.py` holds both to the same model, optimizer and schedule.
"""

import importlib
from importlib import resources
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from gradstep_demo.outcome import Options, Outcome
    from gradstep_demo.report import Report

# Name: what it shows. The file is the name with underscores; it is imported only when the example runs.
DESCRIPTIONS = {
    "linear-regression": "A line through five points by gradient descent, on NumPy arrays (document 2, 5.2)",
    "mnist-cnn": "A convolutional network on MNIST with Adam (document 0, 5.2)",
    "mnist-decay": "A convolutional network on MNIST with an inverse time decay (document 4, 7.1)",
    "mnist-mlp": "A perceptron 784-256-10 on MNIST with Adagrad, and better settings (document 3, 5.2)",
    "compounding-decay": "A linear model with Adam, its rate divided once or again and again (document 4, 6.2)",
    "keras-cnn": "A convolutional network in Keras, whose optimizer a gradstep schedule drives (document 0, 4.3)",
    "rate-strategies": "One model under six strategies for the rate, over several seeds (document 1, 4)",
    "two-tasks": "One model for two tasks, and three ways to share the rate between them (document 4, 9.2)",
    "own-optimizer": "Adagrad as a user writes it, held against the library's (document 3, 3.2)",
    "boston-mlp": "A perceptron on the prices of houses, with an inverse time decay (document 4, 7.2)",
    "recurrent-network": "A recurrent network that reads digits row by row (document 4, 5.2)",
    "gan": "Digits made by two networks that compete, with a decaying rate each (document 4, 5.3 and 7.3)",
    "language-model": "The next character of English text, in bits (document 4, 10.2)",
    "translation": "Names from English into Ukrainian, with attention (document 4, 10.3)",
    "text-generation": "Text that a model writes, at several temperatures (document 4, 10.4)",
}


class Example(Protocol):
    def run(self, options: "Options", report: "Report") -> "Outcome": ...


def load(name: str) -> Example:
    return cast(Example, importlib.import_module(f"gradstep_demo.{_file(name)}"))


def source(name: str) -> str:
    """The text of the example's plain script."""
    return resources.files(__name__).joinpath("scripts", f"{_file(name)}.py").read_text(encoding="utf-8")


def _file(name: str) -> str:
    return name.replace("-", "_")
