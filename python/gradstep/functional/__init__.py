"""Functions without state: single updates, and the operations around them as standalone functions.

An update such as ``adam_`` changes its arrays in place and keeps nothing. The arrays of state follow the gradient in
the order of the rule's paper; ``step`` counts from 1, and a schedule is evaluated at ``step - 1``.

>>> import numpy as np, gradstep
>>> p, m, v = np.ones(3), np.zeros(3), np.zeros(3)
>>> gradstep.functional.adamw_(p, np.full(3, 0.5), m, v, step=1, lr=0.1, weight_decay=0.1)
>>> p.round(6)
array([0.89, 0.89, 0.89])

The operations that an optimizer makes in the same pass as its update are standalone functions here, over one array or a
sequence of arrays: :func:`unscale_`, :func:`norm`, :func:`clip_norm_` and :func:`clip_value_` before the update,
:func:`average_`, :func:`cast_` and :func:`zero_` after it. In float32 and float64, with gradients of the parameter's
dtype and layout, they give the bits of the single pass:

>>> from gradstep.functional import average_, clip_norm_, unscale_, zero_
>>> p, g, average = np.ones(3), np.array([6.0, 0.0, 8.0]), np.ones(3)
>>> opt = gradstep.SGD([q := np.ones(3)], lr=0.1, clip_norm=1.0, ema=0.9)
>>> opt.step([g], grad_scale=2.0)
>>> unscale_(g, 2.0), clip_norm_(g, 1.0)
(False, 5.0)
>>> gradstep.functional.sgd_(p, g, step=1, lr=0.1)
>>> average_(average, p, 0.9)
>>> zero_(g)
>>> bool((p == q).all()), bool((average == opt.averages.arrays()[0]).all())
(True, True)
"""

from gradstep import rules
from gradstep.functional.standalone import *  # noqa: F403
from gradstep.functional.standalone import __all__ as _standalone
from gradstep.functional.updates import update_of

_UPDATES = {each.__name__: each for each in (update_of(rule, __name__) for rule in rules.ALL.values())}
globals().update(_UPDATES)
__all__ = [*_standalone, *_UPDATES]
