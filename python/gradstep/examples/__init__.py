"""The documents' programs, runnable. An example is one file with `run(options, report)`, and a line below."""

import importlib

from gradstep.examples.outcome import Options, Outcome
from gradstep.examples.report import Report

# Name: what it shows. The file is the name with underscores; it is imported only when the example runs.
DESCRIPTIONS = {
    "linear-regression": "A line through five points by gradient descent, on NumPy arrays (document 2, 5.2)",
    "mnist-cnn": "A convolutional network on MNIST with Adam (document 0, 5.2)",
    "mnist-mlp": "A perceptron 784-256-10 on MNIST with Adagrad, and better settings (document 3, 5.2)",
}


def run(name: str, options: Options, report: Report) -> Outcome:
    example = importlib.import_module(f"gradstep.examples.{name.replace('-', '_')}")
    outcome: Outcome = example.run(options, report)
    return outcome
