"""The learning-rate range test: which rates train, found by one short run in which the rate rises.

`LRFinder` knows no framework, the loop is yours. One call does it for a torch model
(:func:`gradstep.lr_finder.torch.range_test`, imported on its own, because it needs torch) and for NumPy arrays
(:func:`gradstep.lr_finder.numpy.range_test`); both put everything back afterwards.
"""

from gradstep.lr_finder.finder import LRFinder
from gradstep.lr_finder.suggestions import Suggestions

__all__ = ["LRFinder", "Suggestions"]
