"""Whether arrays share memory, against the sets of the bytes that their elements lie in."""

import itertools
import random

import numpy as np
import pytest

from gradstep import _core

ITEMS = [np.float16, np.float32, np.float64]


def element_bytes(view):
    """Where each element's bytes lie, as a list of ranges, each element once."""
    first = view.__array_interface__["data"][0]
    for index in itertools.product(*map(range, view.shape)):
        place = first + sum(i * stride for i, stride in zip(index, view.strides, strict=True))
        yield range(place, place + view.itemsize)


def bytes_of(view):
    return set(itertools.chain.from_iterable(element_bytes(view)))


def repeats_itself(view):
    return len(bytes_of(view)) < view.size * view.itemsize


def placed(view):
    seen = [(n, stride) for n, stride in zip(view.shape, view.strides, strict=True) if n != 1]
    return view.__array_interface__["data"][0], view.dtype, seen


def pairs_that_share(views, written, mates):
    """All pairs that share memory and must not, by the definition."""
    found = {(i, i) for i, view in enumerate(views) if written[i] and repeats_itself(view)}
    places = list(map(bytes_of, views))
    for i, j in itertools.combinations(range(len(views)), 2):
        twins = mates[i] == mates[j] != -1 and placed(views[i]) == placed(views[j])
        if (written[i] or written[j]) and not twins and places[i] & places[j]:
            found.add((i, j))
    return found


def any_view(random, memory):
    """A view with any strides within the memory."""
    dtype = np.dtype(random.choice(ITEMS))
    while True:
        ndim = random.randrange(4)
        shape = [random.choice([0, 1, 1, 2, 2, 3, 4, 5]) for _ in range(ndim)]
        unit = random.choice([1, 2, dtype.itemsize])
        strides = [random.randrange(-12, 13) * unit for _ in range(ndim)]
        reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True) if n > 1]
        low, high = sum(r for r in reach if r < 0), sum(r for r in reach if r > 0) + dtype.itemsize
        if high - low <= memory.nbytes:
            offset = random.randrange(memory.nbytes - (high - low) + 1) - low
            return np.ndarray(shape, dtype, memory, offset, strides)


def a_block(random, memory):
    """A block, a transpose, a diagonal or every n-th element of the memory taken as a matrix or a cube."""
    dtype = np.dtype(random.choice(ITEMS[1:]))
    whole = memory.view(dtype)
    n = int(len(whole) ** (1 / 3)) if random.random() < 0.5 else int(len(whole) ** 0.5)
    ndim = 3 if n**3 <= len(whole) and n**2 * 2 < len(whole) else 2
    cube = whole[: n**ndim].reshape([n] * ndim)
    index = []
    for size in cube.shape:
        start, step = random.randrange(size), random.choice([1, 1, 1, 2, 3])
        index.append(slice(start, random.randrange(start, size) + 1, step))
    view = cube[tuple(index)].transpose(random.sample(range(ndim), ndim))
    if random.random() < 0.2:
        view = view.diagonal(random.randrange(-1, 2))
    return view[::-1] if random.random() < 0.2 and view.ndim else view


@pytest.mark.parametrize(
    ("kind", "count"), [(any_view, 1), (any_view, 2), (any_view, 4), (a_block, 2), (a_block, 3), (a_block, 6)]
)
def test_the_answer_is_that_of_the_bytes(kind, count):
    source = random.Random(f"{kind.__name__} {count}")
    yes = 0
    for trial in range(6000 // count):
        memory = np.zeros(64 * source.choice([1, 4, 16]), np.uint8)
        views = [kind(source, memory) for _ in range(count)]
        if count > 1 and trial % 5 == 0:
            views[-1] = views[0][...]
        written = [source.random() < 0.6 for _ in views]
        mates = [source.choice([-1, 0]) for _ in views]
        allowed = pairs_that_share(views, written, mates)
        found = _core.find_sharing(views, written, mates)
        assert (found is None) == (not allowed), (found, allowed, [placed(v) for v in views], written, mates)
        if found:
            assert found[:2] in allowed
            assert not found[2]
        yes += bool(found)
    assert 30 < yes < 6000 // count - 30  # both answers have come


def test_arrays_without_elements_share_nothing():
    memory = np.zeros(8)
    assert _core.find_sharing([memory, memory[3:3], memory[:0]], [True] * 3, [-1] * 3) is None


def tiles(memory, n):
    """The blocks of a matrix, each once; none is contiguous."""
    edges = np.linspace(0, len(memory), n + 1).astype(int)
    bounds = list(itertools.pairwise(edges))
    return [memory[a:b, c:d] for a, b in bounds for c, d in bounds]


def windmills(memory, n):
    """Windmills of five blocks, which no straight cut separates."""
    size = len(memory) // n
    found = []
    for top, left in itertools.product(range(0, n * size, size), repeat=2):
        block, third = memory[top : top + size, left : left + size], size // 3
        found += [block[:third, : 2 * third], block[: 2 * third, 2 * third :], block[2 * third :, third:]]
        found += [block[third:, :third], block[third : 2 * third, third : 2 * third]]
    return found


def bricks(memory, n):
    """Bricks whose joints are staggered, both ways."""
    size = len(memory) // n
    return [
        memory[i * size + (j % 2) * size // 2 : (i + 1) * size + (j % 2) * size // 2, j * size : (j + 1) * size]
        for i in range(n - 1)
        for j in range(n)
    ]


# More parts than a search through all pairs would get through, but for the last two, which no straight cut splits.
PARTITIONS = {
    "columns": lambda m: [m[:, i] for i in range(6000)],
    "blocks of columns": lambda m: [m[:, i : i + 2] for i in range(0, 12000, 2)],
    "every n-th element": lambda m: [m.ravel()[i::6000] for i in range(6000)],
    "diagonals": lambda m: [m.diagonal(i) for i in range(6000)],
    "tiles": lambda m: tiles(m[:, :300].reshape(300, 300), 75),
    "columns of columns": lambda m: [c for i in range(3000) for c in (m[:, i + 3000 :: 6000], m[:, i])],
    "a cube's columns": lambda m: [c for p in m.reshape(-1)[: 80**3].reshape(80, 80, 80).T for c in p],
    "a cube's planes": lambda m: [m.ravel()[: 120**3].reshape(120, 120, 120)[:, i] for i in range(120)],
    "windmills": lambda m: windmills(m[:, :300].reshape(300, 300), 25),
    "bricks": lambda m: bricks(m[:, :300].reshape(300, 300), 30),
}


@pytest.fixture(scope="module")
def matrix():
    return np.zeros((300, 12000), np.float32)


@pytest.mark.parametrize("name", PARTITIONS)
def test_partitions_of_one_array(matrix, name):
    parts = PARTITIONS[name](matrix)
    written, mates = [True] * len(parts), [-1] * len(parts)
    assert _core.find_sharing(parts, written, mates) is None
    assert _core.find_sharing(parts[::-1], written, mates) is None
    one = parts[len(parts) // 2]
    element = one[tuple(slice(n // 2, n // 2 + 1) for n in one.shape)]
    assert _core.find_sharing([*parts, element], [*written, False], [*mates, -1]) == (
        len(parts) // 2,
        len(parts),
        False,
    )


def test_a_search_that_takes_too_long_is_given_up_and_says_so():
    # A knapsack of strides that no rule decides; nothing of this memory is touched.
    source = random.Random(0)
    strides = [source.randrange(10**14, 2 * 10**14) * 2 for _ in range(16)]
    memory = np.zeros(2, np.float16)
    views = [np.lib.stride_tricks.as_strided(memory[i:], [5] * 8, strides[i::2]) for i in range(2)]
    found = _core.find_sharing(views, [False, True], [-1, -1])
    assert found is not None
    assert found[2]
    with pytest.raises(ValueError, match=r"can't be told within 1048576 steps of a search .*: pass contiguous copies"):
        _core.check_parameters(views)
