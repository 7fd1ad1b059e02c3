"""The learning-rate range test: a short run with a rising rate shows which rates train.

`LRFinder` works with any training loop. One call tests a torch model (:func:`gradstep.lr_finder.torch.range_test`,
which needs torch) or NumPy arrays (:func:`gradstep.lr_finder.numpy.range_test`); both restore everything afterwards.
"""

from gradstep.lr_finder.finder import LRFinder
from gradstep.lr_finder.suggestions import Suggestions

__all__ = ["LRFinder", "Suggestions"]
