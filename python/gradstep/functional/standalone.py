"""The operations around an update as standalone functions, over one array or a sequence of arrays.

They accept the arrays that optimizers accept, of their dtypes and in any layout. They compute in float64 for float64
and in float32 for the others, with the same bits (except a NaN's) on any device and with any number of threads
(:func:`gradstep.get_num_threads`). All arrays of a call, a ``product`` included, must be on one device. A list of
gradients may hold None. Arrays that can't be used raise an error before anything is written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gradstep.interop.devices import operations_on
from gradstep.interop.scalars import read_float
from gradstep.rules.hyperparameters import read_hyperparameter, read_unscale
from gradstep.rules.options import OPTION_PLACES

__all__ = ["average_", "cast_", "clip_norm_", "clip_value_", "norm", "unscale_", "zero_"]


def unscale_(gradients: Any, grad_scale: Any) -> bool:
    r"""Divide gradients by the scale that multiplied the loss, in place.

    .. math:: g \leftarrow g \cdot (1 / s)

    with 1 / s computed in float64 and rounded to the type of the arithmetic, like ``grad_scale`` in a step.

    Args:
        gradients: an array or a sequence of arrays, with None for missing ones.
        grad_scale: s, above 0; a number or an array of one number.

    Returns:
        Whether a gradient is infinite or NaN now, for a step's ``found_inf``.

    Raises:
        TypeError, ValueError: an argument can't be used; nothing has been written.

    >>> import numpy as np
    >>> g = [np.array([8.0, 4.0], np.float32), np.array([np.inf], np.float32)]
    >>> unscale_(g, 4.0), g[0]
    (True, array([2., 1.], dtype=float32))
    """
    arrays = _listed(gradients, "gradients")
    return operations_on(arrays).unscale(arrays, read_unscale(grad_scale))


def norm(gradients: Any) -> float:
    r"""The Euclidean norm of all elements of all gradients.

    .. math:: \lVert g \rVert = \sqrt{\textstyle\sum_i g_i^2}

    Squares and sums are computed in float64, in a fixed tree: leaves of 4096 elements in memory order, added pairwise,
    array after array. For gradients with the layout of their parameters the result has the bits of
    ``optimizer.stats().gradient_norm`` and of the norm of ``clip_norm``.

    Args:
        gradients: an array or a sequence of arrays, with None for missing ones; they are only read.

    Raises:
        TypeError, ValueError: an array can't be used.

    >>> import numpy as np
    >>> norm([np.array([3.0, 0.0], np.float32), None, np.array([[4.0]])])
    5.0
    """
    arrays = _listed(gradients, "gradients")
    return operations_on(arrays).norm(arrays)


def clip_norm_(gradients: Any, max_norm: Any, total_norm: Any = None) -> float:
    r"""Scale gradients in place so that the norm of all together is at most ``max_norm``.

    .. math:: g \leftarrow g \min(1, c / (\lVert g \rVert + 10^{-6}))

    as ``torch.nn.utils.clip_grad_norm_``, with the norm of :func:`norm`. A NaN norm makes all gradients NaN.

    Args:
        gradients: an array or a sequence of arrays, with None for missing ones.
        max_norm: c, above 0.
        total_norm: the norm to clip by, at least 0: that of more gradients, for example, or of an earlier step, as with
            ``clip_lagged``. None (the default) for the norm of these gradients.

    Returns:
        The norm by which the gradients were clipped.

    Raises:
        TypeError, ValueError: an argument can't be used; nothing has been written.

    >>> import numpy as np
    >>> g = np.array([3.0, 4.0], np.float32)
    >>> clip_norm_(g, 1.0), g.round(4)
    (5.0, array([0.6, 0.8], dtype=float32))
    """
    arrays = _listed(gradients, "gradients")
    total = None if total_norm is None else read_float(total_norm, "total_norm")
    if total is not None and total < 0:
        raise ValueError(f"Invalid total_norm: {total}: a norm is 0 or above; pass None for that of the gradients")
    return operations_on(arrays).clip_norm(arrays, _read(max_norm, "max_norm", "clip_norm"), total)


def clip_value_(gradients: Any, clip_value: Any) -> None:
    r"""Clip each element of gradients in place; NaN stays NaN.

    .. math:: g \leftarrow \max(\min(g, l), -l)

    as ``torch.nn.utils.clip_grad_value_``.

    Args:
        gradients: an array or a sequence of arrays, with None for missing ones.
        clip_value: l, above 0.

    Raises:
        TypeError, ValueError: an argument can't be used; nothing has been written.

    >>> import numpy as np
    >>> g = np.array([0.25, -3.0])
    >>> clip_value_(g, 0.5)
    >>> g
    array([ 0.25, -0.5 ])
    """
    arrays = _listed(gradients, "gradients")
    operations_on(arrays).clip_value(arrays, _read(clip_value, "clip_value", "clip_value"))


def average_(averages: Any, parameters: Any, decay: Any, product: Any = None) -> None:
    r"""Update averages of parameters in place, as the option ``ema`` does.

    .. math:: a \leftarrow a + w\, (p - a), \qquad w = 1 - d

    With ``product`` the averages are bias-corrected, as with ``ema_bias_correction``; at the t-th call

    .. math:: w = (1 - d_t) / (1 - \textstyle\prod_{i \le t} d_i)

    Args:
        averages: an array or a sequence of arrays, each with its parameter's shape; initially copies of the parameters.
        parameters: as many arrays, which are only read; their dtype decides whether the arithmetic is float32 or
            float64.
        decay: d, from 0 to 1.
        product: an array of one float64 (or float32) number, the product of the previous decays, initially 1; it is
            updated too. None (the default) for no correction.

    Raises:
        TypeError, ValueError: an argument can't be used; nothing has been written.

    >>> import numpy as np
    >>> p, a, product = np.array([2.0]), np.zeros(1), np.ones(())
    >>> average_(a, p, 0.75)
    >>> a
    array([0.5])
    >>> average_(a, p, 0.75, product)
    >>> a, product
    (array([2.]), array(0.75))
    """
    mine, theirs = _listed_pairs("average_", "averages", averages, parameters)
    operations_on(mine).average(mine, theirs, _read(decay, "decay", "ema"), product)


def cast_(copies: Any, parameters: Any) -> None:
    """Copy parameters into arrays of another dtype, rounded to nearest even, as the option ``cast_to`` does.

    Values too large for the dtype become infinite, and NaN stays NaN.

    Args:
        copies: an array or a sequence of arrays, each with its parameter's shape.
        parameters: as many arrays, which are only read.

    Raises:
        TypeError, ValueError: an argument can't be used; nothing has been written.

    >>> import numpy as np
    >>> copy = np.zeros(3, np.float16)
    >>> cast_(copy, np.array([1 / 3, 1e-3, 1e6], np.float32))
    >>> copy
    array([0.3333, 0.001 ,    inf], dtype=float16)
    """
    mine, theirs = _listed_pairs("cast_", "copies", copies, parameters)
    operations_on(mine).cast(mine, theirs)


def zero_(gradients: Any) -> None:
    """Fill gradients with zeros in place, as the option ``zero_grad`` does.

    Args:
        gradients: an array or a sequence of arrays, with None for missing ones.

    Raises:
        TypeError, ValueError: an array can't be used; nothing has been written.

    >>> import numpy as np
    >>> g = np.ones((2, 4))
    >>> zero_(g[:, ::2])
    >>> g[0]
    array([0., 1., 0., 1.])
    """
    arrays = _listed(gradients, "gradients")
    operations_on(arrays).zero(arrays)


def _listed(arrays: Any, name: str) -> list[Any]:
    """A list of the arrays; one array gives a list of one."""
    if hasattr(arrays, "dtype"):
        return [arrays]
    try:
        return list(arrays)
    except TypeError:
        raise TypeError(f"{name} is a {type(arrays).__name__}: pass an array or a sequence of arrays") from None


def _listed_pairs(function: str, name: str, arrays: Any, parameters: Any) -> tuple[list[Any], list[Any]]:
    mine, theirs = _listed(arrays, name), _listed(parameters, "parameters")
    if len(mine) != len(theirs):
        raise ValueError(f"{function} got {len(mine)} {name} and {len(theirs)} parameters: pass one for each")
    return mine, theirs


def _read(value: object, name: str, option: str) -> float:
    """Check a value like an option of the optimizers, under the name of this argument."""
    return read_hyperparameter({name: value}, name, replace(OPTION_PLACES[option], key=name))
