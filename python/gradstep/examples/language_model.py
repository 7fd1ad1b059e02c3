"""Document 4, section 10.2: a language model, with Adam and a rate that decays with each update."""

import lzma
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from gradstep.examples import comparison
from gradstep.examples.contenders import GRADSTEP
from gradstep.examples.next_character import DOCUMENT, RATE_IS_THE_OPTIMIZERS, Text, bits_at, indented, reference
from gradstep.examples.outcome import Line, Options, Outcome, Panel
from gradstep.examples.report import Report
from gradstep.examples.training import Training

TEMPERATURE = 0.5
LENGTH = 300  # characters of a sample

PROGRAM = comparison.Program(
    name="language-model",
    title="Language model, Adam, inverse time decay",
    correction=RATE_IS_THE_OPTIMIZERS,
    task=lambda options: reference().task(),
    settings=[DOCUMENT],
    libraries=[GRADSTEP],
)


def run(options: Options, report: Report) -> Outcome:
    (training,) = comparison.train(PROGRAM, options, report)
    outcome = comparison.tell(PROGRAM, options, [training])
    before = training.plan.untrained()
    ...
