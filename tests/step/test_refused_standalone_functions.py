"""Errors of the standalone functions: they say what to do, and nothing is written before them."""

import numpy as np
import pytest

from gradstep import Linear, Rows
from gradstep.functional import average_, cast_, clip_norm_, clip_value_, norm, unscale_, zero_
from support.arrays import assert_same_bits, normal, to_torch

WRITES = {
    "unscale_": lambda g: unscale_(g, 2.0),
    "clip_norm_": lambda g: clip_norm_(g, 0.1),
    "clip_value_": lambda g: clip_value_(g, 0.1),
    "zero_": zero_,
}
PAIRS = {
    "average": lambda arrays, parameters: average_(arrays, parameters, 0.5),
    "copy": cast_,
}
each_writing = pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
each_call = pytest.mark.parametrize("call", [*WRITES.values(), norm], ids=[*WRITES, "norm"])
each_pairing = pytest.mark.parametrize(("what", "call"), PAIRS.items(), ids=PAIRS)


def read_only():
    array = normal(9, 4)
    array.flags.writeable = False
    return array


def sliding():
    return np.lib.stride_tricks.as_strided(normal(9, 5), (2, 4), (4, 4))


#: arrays that can't be read, and arrays that can't be written, with words of the error
UNREADABLE = {
    "integers": (lambda: np.ones(4, np.int32), r"has dtype int32: allowed are float64.* \.astype"),
    "byte-swapped": (lambda: normal(0, 4).astype(">f4"), "byte-swapped dtype >f4: convert it with"),
    "list": (lambda: [1.0, 2.0], "is a list, which can't be used in place: pass an array"),
    "masked": (lambda: np.ma.masked_array(normal(0, 4), [True] * 4), "is a masked array, and masks are not supported"),
    "rows": (lambda: Rows(np.array([0]), np.ones((1, 4))), r"is sparse \(gradstep.Rows\): .* pass \.to_dense\(\)"),
}
UNWRITABLE = {
    "read-only": (read_only, "is read-only: pass an array that can be written in place"),
    "overlapping itself": (sliding, r"overlaps itself \(an expanded or sliding view\): pass a copy"),
}


def of(kinds):
    return pytest.mark.parametrize(("make", "message"), kinds.values(), ids=kinds)


@of(UNREADABLE)
@each_call
def test_unreadable_gradients(call, make, message):
    g = normal(0, 4)
    with pytest.raises((TypeError, ValueError), match=f"^gradient 2 .*{message}"):
        call([g, None, make()])
    assert_same_bits(g, normal(0, 4))


@of(UNWRITABLE)
@each_writing
def test_unwritable_gradients(call, make, message):
    g = normal(0, 4)
    with pytest.raises(ValueError, match=f"^gradient 1 {message}"):
        call([g, make()])
    assert_same_bits(g, normal(0, 4))


@each_writing
def test_gradients_that_share_memory(call):
    g = normal(0, 8)
    with pytest.raises(ValueError, match="gradient 0 and gradient 2 share memory: pass each element once"):
        call([g[:5], None, g[4:]])
    assert_same_bits(g, normal(0, 8))


@each_call
def test_no_sequence(call):
    with pytest.raises(TypeError, match="gradients is a NoneType: pass an array or a sequence of arrays"):
        call(None)


@each_pairing
@of(UNREADABLE | UNWRITABLE)
def test_what_cannot_be_written_of_a_pair(what, call, make, message):
    first = normal(0, 4)
    with pytest.raises((TypeError, ValueError), match=f"^the {what} of parameter 1 .*{message}"):
        call([first, given := make()], [normal(1, 4), np.ones(np.shape(given), np.float32)])
    assert_same_bits(first, normal(0, 4))


@each_pairing
@of(UNREADABLE)
def test_unreadable_parameters(what, call, make, message):
    first = normal(0, 4)
    with pytest.raises((TypeError, ValueError), match=f"^parameter 1 .*{message}"):
        call([first, normal(2, 4)], [normal(1, 4), make()])
    assert_same_bits(first, normal(0, 4))


@each_pairing
def test_pairs_that_do_not_fit(what, call):
    first = normal(0, 4)
    message = rf"the {what} of parameter 1 has shape \(3,\), but the parameter has shape \(3, 1\): they must be equal"
    with pytest.raises(ValueError, match=message):
        call([first, normal(1, 3)], [normal(2, 4), normal(3, (3, 1))])
    with pytest.raises(ValueError, match=r"^(average|cast)_ got 1 (averages|copies) and 2 parameters: pass one for"):
        call(first, [normal(2, 4), normal(3, 4)])
    with pytest.raises(ValueError, match=f"the {what} of parameter 0 and parameter 1 share memory"):
        call([first, normal(1, 4)], [normal(2, 4), first])
    assert_same_bits(first, normal(0, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: unscale_(g, 0.0), "Invalid grad_scale: 0.0: it multiplied the loss and must be above 0"),
        (lambda g: unscale_(g, np.nan), "Invalid grad_scale: nan"),
        (lambda g: unscale_(g, "2"), "Invalid grad_scale: '2' of type str: pass a number"),
        (lambda g: clip_norm_(g, 0.0), r"Invalid max_norm value: 0.0: max_norm must be a number in \(0, inf\)"),
        (lambda g: clip_norm_(g, Linear(1.0, 0.0, 3)), "Invalid max_norm: .* of type Linear: pass a number"),
        (lambda g: clip_norm_(g, 1.0, -2.0), "Invalid total_norm: -2.0: a norm is 0 or above; pass None for that of"),
        (lambda g: clip_value_(g, -1.0), r"Invalid clip_value value: -1.0: clip_value must be a number in \(0, inf\)"),
        (lambda g: average_(g, normal(1, 4), 1.5), r"Invalid decay value: 1.5: decay must be a number in \[0, 1\]"),
        (lambda g: average_(g, normal(1, 4), 0.5, 1.0), "^product is a float, which can't be used in place: pass"),
        (lambda g: average_(g, normal(1, 4), 0.5, np.ones(2)), "^product must be a writable array of one float32 or"),
        (lambda g: average_(g, normal(1, 4), 0.5, np.ones((), np.float16)), "^product must be a writable array of one"),
    ],
)
def test_numbers(call, message):
    g = normal(0, 4)
    with pytest.raises((TypeError, ValueError), match=message):
        call(g)
    assert_same_bits(g, normal(0, 4))


@each_call
def test_tensors_whose_memory_is_not_what_it_seems(call):
    torch = pytest.importorskip("torch")
    freed = to_torch(normal(1, 4)).clone()
    freed.untyped_storage().resize_(0)
    g = to_torch(normal(0, 4))
    for bad, message in (
        (torch.complex(g, g).conj().imag, r"lazily negated or conjugated view: pass \.resolve_neg\(\)"),
        (freed, "its storage was freed or resized"),
        (torch.ones(4, device="meta"), r"is on meta: .* move it with \.cpu\(\)"),
        (g.to_sparse(), r"is sparse \(torch.sparse_coo\): .* pass \.to_dense\(\)"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^gradient 1 .*{message}"):
            call([g, bad])
    assert_same_bits(g.numpy(), normal(0, 4))
