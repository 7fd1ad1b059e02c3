"""Random rates: the generator against its published values and itself in Python, and how random it is."""

import numpy as np
import pytest

import gradstep as gs
from support.leaf_formulas import philox, random_fraction

ALL = 2**32 - 1
PI = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [  # Random123 of Salmon et al., tests/kat_vectors
        ([0] * 4, [0] * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ([ALL] * 4, [ALL] * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (*PI, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ],
)
def test_the_reference_gives_the_published_words(counter, key, words):
    assert philox(counter, key) == words


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, 2**53 - 1, 2**53])
def test_the_core_gives_the_bits_of_the_reference(seed):
    t = [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**40 + 12345, 2**52 + 1, 2**53 - 1, 2**53]
    u = gs.Uniform(0.0, 1.0, seed)
    assert u(t).tolist() == [float(random_fraction(each, seed)) for each in t]


def test_the_first_word_of_seed_0_is_published():
    assert gs.Uniform(0.0, 1.0, seed=0)(0) == 0x6627E8D5E169C / 2**52


@pytest.mark.parametrize("seed", [0, 1, 123456789])
def test_numbers_are_uniform_and_independent(seed):
    n = 200_000
    u = gs.Uniform(0.0, 1.0, seed)(np.arange(n))
    other = gs.Uniform(0.0, 1.0, seed + 1)(np.arange(n))
    # the seeds are fixed: bounds are about four standard deviations of what chance gives
    assert abs(u.mean() - 0.5) < 4 * np.sqrt(1 / 12 / n)
    assert abs(u.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / n)
    distance = np.abs(np.sort(u) - (np.arange(n) + 0.5) / n).max()
    assert distance < 2 / np.sqrt(n)  # Kolmogorov-Smirnov: exceeded once in 1,500
    for lag in (1, 2, 3, 16, 1024):
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 4 / np.sqrt(n)
    assert abs(np.corrcoef(u, other)[0, 1]) < 4 / np.sqrt(n)
    pairs = np.histogram2d(u[::2], u[1::2], bins=32)[0]
    expected = n / 2 / 1024
    assert abs(((pairs - expected) ** 2 / expected).sum() - 1023) < 4 * np.sqrt(2 * 1023)  # chi-squared
    bits = (u * 2**52).astype(np.uint64)[:, None] >> np.arange(52, dtype=np.uint64) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 4.5 * 0.5 / np.sqrt(n)


def test_numbers_stay_within_their_bounds():
    t = np.arange(100_000)
    for low, high in [(0.1, 0.3), (-2.0, -1.0), (0.5, 0.5)]:
        values = gs.Uniform(low, high, seed=3)(t)
        assert low <= values.min() <= values.max() <= high
    values = gs.LogUniform(1e-5, 1e-1, seed=3)(t)
    assert 1e-5 <= values.min() <= values.max() <= 1e-1
    shares = np.histogram(np.log10(values), bins=4, range=(-5, -1))[0] / t.size
    np.testing.assert_allclose(shares, 0.25, atol=0.006)  # four standard deviations


def test_other_seeds_give_other_rates():
    first = {gs.Uniform(0.0, 1.0, seed)(5) for seed in range(1000)}
    assert len(first) == 1000
