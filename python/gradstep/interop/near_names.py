"""Which of several names a misspelt one is nearest to."""

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The one of the ``known`` names that is most alike, whatever the case and the underscores, or None.

    Args:
        name: the misspelt name.
        known: the names that there are.
        least: how alike it must be, from 0 to 1, as ``difflib.SequenceMatcher.ratio`` counts.

    >>> nearest("clipnorm", ["clip_norm", "clip_value"])
    'clip_norm'
    """
    plain = {_plain(each): each for each in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=least)
    return plain[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"did you mean 'clip_norm'? "`` where a known name is near, else nothing.

    >>> did_you_mean("mnist", ["mnist-mlp", "gan"])
    "did you mean 'mnist-mlp'? "
    """
    close = nearest(name, known)
    return f"did you mean {close!r}? " if close else ""


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()
