"""The text examples: what is learned from, how bits are counted, and what a model writes."""

import math
import random
import re
from functools import partial

import pytest
import torch
from rich.console import Console

from gradstep_demo import language_model, next_character, reference_text, text_generation
from gradstep_demo.characters import Alphabet, CharacterModel, bits, write
from gradstep_demo.outcome import Options
from gradstep_demo.report import Report
from support.tolerances import OTHER_ALGORITHM, SINGLE

QUIET = Report(Console(quiet=True))


@pytest.fixture(scope="module")
def text():
    return next_character.reference()


def test_no_paragraph_is_trained_and_measured_on():
    every = list(reference_text.paragraphs())
    words = {tuple(paragraph.split()) for paragraph in every}
    assert len(words) == len(every) > 1000
    corpus = reference_text.python_reference()
    train, held_out = (
        {tuple(p.split()) for p in part.split("\n\n") if p.split()} for part in (corpus.train, corpus.held_out)
    )
    assert train | held_out == words
    assert not train & held_out
    assert 0.05 < len(corpus.held_out) / len(corpus.train + corpus.held_out) < 0.15


def test_alphabet_gives_the_text_back(text):
    assert text.alphabet.decode(text.alphabet.encode(text.corpus.held_out)) == text.corpus.held_out
    assert Alphabet("banana").encode("nab").tolist() == [2, 0, 1]


def test_answers_are_the_next_characters(text):
    inputs, answers = text.task().train
    assert len(inputs) == len(text.corpus.train) - next_character.WINDOW
    assert torch.equal(inputs[1:4], answers[:3])
    assert text.alphabet.decode(inputs[7]) == text.corpus.train[7 : 7 + next_character.WINDOW]


def test_held_out_windows_ask_for_each_character_once(text):
    asked = text.alphabet.decode(text.held_out[:, 1:].flatten())
    assert text.corpus.held_out[1:].startswith(asked)
    assert len(text.corpus.held_out) - len(asked) <= next_character.WINDOW


def test_bits_are_of_the_right_answer():
    chances = torch.tensor([[[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]])
    found = bits(chances.log() + 3.0, torch.tensor([[0, 2]]))
    assert found.tolist() == [pytest.approx([1.0, 3.0], rel=SINGLE)]


def test_bits_at_each_place_are_those_of_reading_on():
    torch.manual_seed(2)
    model, windows = CharacterModel(5), torch.randint(5, (3, 7))
    wanted = torch.zeros(6)
    for window in windows:
        state = None
        for place in range(6):
            with torch.no_grad():
                logits, state = model.read(window[None, place : place + 1], state)
            wanted[place] -= math.log2(torch.softmax(logits[0, 0], 0)[window[place + 1]]) / 3
    # Two orders of float32 sums.
    assert next_character.bits_at(model, windows).tolist() == pytest.approx(wanted.tolist(), abs=1e-5)


class Coin:
    """Says each time that character 1 is four times as likely as character 0."""

    def read(self, numbers, state=None):
        return torch.tensor([0.0, math.log(4.0)]).expand(*numbers.shape, 2), 0


@pytest.mark.parametrize(("temperature", "share"), [(1.0, 4 / 5), (0.5, 16 / 17), (2.0, 2 / 3)])
def test_temperature_divides_the_logits(temperature, share):
    written = write(Coin(), torch.zeros(200, 3, dtype=torch.long), 100, temperature, seed=1)
    assert written.shape == (200, 100)
    # 20,000 draws: four standard deviations.
    assert written.float().mean().item() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 20000))


def test_writing_repeats_with_its_seed():
    torch.manual_seed(0)
    model, prompts = CharacterModel(9), torch.zeros(2, 4, dtype=torch.long)
    first, again, other = (write(model, prompts, 20, 1.0, seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_xz_gains_from_what_it_knows():
    noise = random.Random(0).choices("abcdefgh", k=4000)
    text = "".join(noise)
    # Eight letters at random hold 3 bits each, above which xz stays; a repetition costs next to nothing.
    assert 3 < language_model.compressed(text, "") < 4
    assert language_model.compressed(text, text) < 0.1


@pytest.fixture
def short(text, monkeypatch):
    """A twentieth of the text, and a model a quarter as wide, for the examples to learn from in seconds."""
    corpus = reference_text.Corpus("A short text", text.corpus.train[:15000], text.corpus.held_out[:1500])
    made = next_character.Text(corpus, text.alphabet)
    monkeypatch.setattr(next_character, "CharacterModel", partial(CharacterModel, width=64))
    for example in (language_model, text_generation):
        monkeypatch.setattr(example, "reference", lambda: made)
    return made


def test_language_model_learns_more_than_the_frequencies(short):
    held_out, train = short.corpus.held_out, short.corpus.train
    frequency = {each: (train.count(each) + 1) / (len(train) + len(short.alphabet)) for each in set(held_out)}
    by_frequency = -sum(math.log2(frequency[character]) for character in held_out) / len(held_out)
    outcome = language_model.run(Options(epochs=100), QUIET)
    bits = outcome.results["bits_per_character"]
    assert bits["before"] == pytest.approx(math.log2(len(short.alphabet)), abs=0.1)
    assert bits["after"] < by_frequency - 0.3
    assert f"{bits['after']:.3f} bits" in outcome.headline
    before, after = outcome.panels[-1].lines
    assert (before.setting, after.setting) == ("before", "after")
    assert max(after.y[10:]) < min(before.y)


def test_words_known_and_different():
    texts = ["the cat, the dog", "a the_cat 7"]
    assert text_generation.words(texts[1]) == ["the", "cat"]
    assert text_generation.known(texts, {"the", "dog"}) == pytest.approx(4 / 6, rel=OTHER_ALGORITHM)
    assert text_generation.different(texts) == pytest.approx(5 / 6, rel=OTHER_ALGORITHM)
    assert text_generation.known(["7"], {"the"}) == text_generation.different([""]) == 0


def test_longest_copy_is_the_longest_common_stretch():
    chance = random.Random(5)
    for _ in range(50):
        text, source = ("".join(chance.choices("ab", k=length)) for length in (9, 30))
        stretches = {text[i:j] for i in range(10) for j in range(i + 1, 10)}
        assert text_generation.longest_copy(text, source) == max(len(s) for s in stretches if s in source)


def test_text_generation_shows_its_texts(short):
    outcome = text_generation.run(Options(epochs=10), QUIET)
    written = [note for note in outcome.notes if text_generation.PROMPT in note]
    assert [re.search(r"temperature (.*):", note)[1] for note in written] == ["1.0", "0.2", "0.6", "1.0"]
    for line in outcome.panels[-1].lines:
        assert tuple(line.x) == text_generation.TEMPERATURES
        assert all(0 <= share <= 100 for share in line.y)
    first, *_, last = outcome.results["runs"][0]["laps"]
    assert last["test_loss"] < first["test_loss"]
