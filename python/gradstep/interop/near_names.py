"""Search for the known name that is most similar to a misspelt one."""

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The most similar of the ``known`` names, regardless of case and underscores, or None.

    Args:
        name: the misspelt name.
        known: the valid names.
        least: the similarity that is needed, from 0 to 1, as ``difflib.SequenceMatcher.ratio`` measures it.

    >>> nearest("clipnorm", ["clip_norm", "clip_value"])
    'clip_norm'
    """
    plain = {_plain(each): each for each in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=least)
    return plain[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"did you mean 'clip_norm'? "`` if a known name is similar, otherwise an empty string.

    >>> did_you_mean("mnist", ["mnist-mlp", "gan"])
    "did you mean 'mnist-mlp'? "
    """
    close = nearest(name, known)
    return f"did you mean {close!r}? " if close else ""


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()
