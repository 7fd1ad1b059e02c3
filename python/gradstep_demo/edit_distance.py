"""How far a text is from the right one."""

from collections.abc import Sequence


def edit_distance(a: str, b: str) -> int:
    """The fewest characters to insert, delete or replace that turn a into b (Levenshtein 1966)."""
    row = list(range(len(b) + 1))  # from the empty start of a to each start of b
    for removed, character in enumerate(a, start=1):
        above, row = row, [removed]
        for i, wanted in enumerate(b):
            row.append(min(above[i + 1] + 1, row[i] + 1, above[i] + (character != wanted)))
    return row[-1]


def character_error_rate(texts: Sequence[str], wanted: Sequence[str]) -> float:
    """Edits per character wanted; above 1 where texts are longer and wrong."""
    return sum(map(edit_distance, texts, wanted)) / sum(map(len, wanted))


def exact_matches(texts: Sequence[str], wanted: Sequence[str]) -> float:
    """The share of texts that are right in every character."""
    return sum(a == b for a, b in zip(texts, wanted, strict=True)) / len(wanted)
