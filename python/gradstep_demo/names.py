"""Parallel text: names of languages, countries, regions and currencies, in English and as translators gave them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from gettext import translation
from zlib import crc32

LANGUAGE = "uk"  # the fullest catalogue: 15,000 names in Ukrainian
CATALOGUES = {
    "languages": "iso639-3",
    "language_families": "iso639-5",
    "countries": "iso3166-1",
    "historic_countries": "iso3166-3",
    "subdivisions": "iso3166-2",
    "currencies": "iso4217",
    "scripts": "iso15924",
}
KINDS = ("name", "official_name", "inverted_name")
LONGEST = 24  # characters; 6 % of the names are longer
EVERY = 10  # about each tenth name is held out
Pair = tuple[str, str]


@dataclass(frozen=True)
class Names:
    """Pairs of a name and its translation, to learn from and to measure on."""

    name: str
    train: list[Pair]
    held_out: list[Pair]


def load() -> Names:
    """A name is held out with all that has the same words ("Sign, British"), and if no trained one translates alike."""
    every = dict(pairs())
    train = [(name, wanted) for name, wanted in every.items() if not held_out(name)]
    known = {wanted for _, wanted in train}
    test = [(name, wanted) for name, wanted in every.items() if held_out(name) and wanted not in known]
    return Names("names in English and Ukrainian from pycountry", train, test)


def held_out(name: str) -> bool:
    """The same in every run and on every machine, as Python's own hash is not."""
    words = sorted(set(re.findall(r"\w+", name.casefold())))
    return crc32(" ".join(words).encode()) % EVERY == 0


def pairs() -> Iterator[Pair]:
    import pycountry

    for database, catalogue in CATALOGUES.items():
        messages = translation(catalogue, pycountry.LOCALES_DIR, [LANGUAGE])
        for record in getattr(pycountry, database):
            for name in filter(None, (getattr(record, kind, None) for kind in KINDS)):
                translated = messages.gettext(name)
                if translated != name and max(len(name), len(translated)) <= LONGEST:
                    yield name, translated
