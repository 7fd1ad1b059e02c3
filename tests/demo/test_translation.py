"""The translation example: its names, its errors and its model."""

import re
from functools import cache, partial

import pytest
import torch
from rich.console import Console
from torch.nn.functional import log_softmax

from gradstep_demo import comparison, names, translation
from gradstep_demo.contenders import GRADSTEP
from gradstep_demo.edit_distance import character_error_rate, edit_distance, exact_matches
from gradstep_demo.names import Names
from gradstep_demo.outcome import Options
from gradstep_demo.report import Report
from gradstep_demo.settings import Settings, Updates
from gradstep_demo.translation import ERRORS, EXACT, Translation
from gradstep_demo.translator import Translator, translation_loss, trimmed
from support.tolerances import OTHER_ALGORITHM

QUIET = Report(Console(quiet=True))
PAIRS = [
    ("Kyiv", "Київ"),
    ("Lviv", "Львів"),
    ("Old Greek", "давньогрецька"),
    ("Peru", "Перу"),
    ("Sri Lanka", "Шрі-Ланка"),
]


@pytest.fixture(scope="module")
def pairs():
    return names.load()


def test_names_are_enough_and_a_tenth_is_held_out(pairs):
    assert len(pairs.train) > 10000
    assert 0.08 < len(pairs.held_out) / len(pairs.train + pairs.held_out) < 0.12
    assert ("Ukraine", "Україна") in pairs.train + pairs.held_out


def test_no_held_out_name_is_known_by_its_words_or_its_translation(pairs):
    def words(name):
        return frozenset(re.findall(r"\w+", name.casefold()))

    assert not {words(name) for name, _ in pairs.train} & {words(name) for name, _ in pairs.held_out}
    assert not {wanted for _, wanted in pairs.train} & {wanted for _, wanted in pairs.held_out}


def test_held_out_whatever_the_order_of_the_words():
    assert names.held_out("British Sign Language") == names.held_out("Sign Language, British")


@cache
def fewest_edits(a, b):
    """By the definition: the best of every first edit."""
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return fewest_edits(a[1:], b[1:])
    return 1 + min(fewest_edits(a[1:], b), fewest_edits(a, b[1:]), fewest_edits(a[1:], b[1:]))


def test_edit_distance_is_the_fewest_edits():
    words = ["", "a", "ab", "ba", "abc", "cab", "kitten", "sitting", "aabb", "bbaa", "abcabc", "intention", "execution"]
    for a in words:
        for b in words:
            assert edit_distance(a, b) == fewest_edits(a, b)
    assert edit_distance("kitten", "sitting") == 3


def test_error_rates():
    texts, wanted = ["Київ", "Львов", ""], ["Київ", "Львів", "Перу"]
    assert exact_matches(texts, wanted) == pytest.approx(1 / 3, rel=OTHER_ALGORITHM)
    assert character_error_rate(texts, wanted) == pytest.approx((0 + 1 + 4) / (4 + 5 + 4), rel=OTHER_ALGORITHM)
    assert character_error_rate(["abcdef"], ["x"]) == 6


@pytest.fixture(scope="module")
def few():
    return Translation(Names("a few names", PAIRS, PAIRS))


def test_loss_is_of_the_characters_alone(few):
    torch.manual_seed(1)
    task = few.task()
    sources, written, answers = (rows[:3] for rows in task.train)
    logits = task.build()(sources, written)
    assert logits.shape[1] == len("давньогрецька") + 1 == trimmed(answers).shape[1]
    chances = log_softmax(logits, -1)
    lost = [
        -chances[row, place, few.targets.numbers[character]].item()
        for row, (_, wanted) in enumerate(PAIRS[:3])
        for place, character in enumerate(f"{wanted}\3")
    ]
    assert translation_loss(logits, answers).item() == pytest.approx(sum(lost) / len(lost), rel=1e-5)


def test_a_name_is_translated_alike_alone_and_among_others(few):
    torch.manual_seed(3)
    model = few.task().build().eval()
    together = few.translate(model, PAIRS)
    assert together == [few.translate(model, [pair])[0] for pair in PAIRS]
    assert not any(mark in text for text in together for mark in "\0\2\3")


def test_learns_a_few_names_by_heart(few):
    settings = Settings("few", "Adam", rate=0.01, batch=5, length=Updates(60))
    program = comparison.Program("few", "Few", "nothing.", lambda _: few.task(), [settings], [GRADSTEP])
    (training,) = comparison.train(program, Options(), QUIET)
    assert training.laps[-1].test == {EXACT.name: 1.0, ERRORS.name: 0.0}
    assert few.translate(training.learner.model, PAIRS) == [wanted for _, wanted in PAIRS]


def test_short_run_learns_and_shows_translations(pairs, monkeypatch):
    some = Translation(Names("some names", pairs.train[::20], pairs.held_out[::20]))
    monkeypatch.setattr(translation, "Translator", partial(Translator, width=64))
    monkeypatch.setattr(translation, "translation", lambda: some)
    outcome = translation.run(Options(epochs=40), QUIET)
    assert outcome.results["character_errors"] < 1.5 < outcome.results["before"][ERRORS.name]
    assert outcome.results["held_out_names"] == len(some.pairs.held_out)
    assert sum(" -> " in note for note in outcome.notes) == translation.SHOWN
