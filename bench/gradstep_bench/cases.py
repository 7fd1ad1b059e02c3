"""The sets of tensors that a step is timed on."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["CASES", "ON_CUDA", "Case"]

Shape = tuple[int, ...]

_SAMPLE_ELEMENTS = 65_536


@dataclass(frozen=True)
class Case:
    """The tensors of a model, in the model's order."""

    name: str
    title: str
    shapes: tuple[Shape, ...]
    dtype: str = "float32"  #: torch's name, of parameters, gradients and states

    @property
    def elements(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes)

    @property
    def sample(self) -> tuple[Shape, ...]:
        """As many tensors with few elements each, to check results on."""
        longest = _SAMPLE_ELEMENTS // len(self.shapes) + 1
        return tuple((min(math.prod(shape), longest),) for shape in self.shapes)


def _mlp() -> tuple[Shape, ...]:
    return ((256, 784), (256,), (10, 256), (10,))


def _resnet(width: int = 50) -> tuple[Shape, ...]:
    """The convolutions and normalisations of a narrower ResNet-50, without its classifier."""
    shapes: list[Shape] = []

    def convolution(out: int, into: int, size: int) -> None:
        shapes.extend([(out, into, size, size), (out,), (out,)])

    convolution(width, 3, 7)
    into = width
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner = width << stage
        for block in range(blocks):
            convolution(inner, into, 1)
            convolution(inner, inner, 3)
            convolution(4 * inner, inner, 1)
            if block == 0:
                convolution(4 * inner, into, 1)
            into = 4 * inner
    return tuple(shapes)


def _gpt2(width: int = 768, blocks: int = 12) -> tuple[Shape, ...]:
    """GPT-2 124M: two embeddings (the first is the output layer too), the blocks, a last normalisation."""
    norm: list[Shape] = [(width,), (width,)]
    attention: list[Shape] = [(width, 3 * width), (3 * width,), (width, width), (width,)]
    mlp: list[Shape] = [(width, 4 * width), (4 * width,), (4 * width, width), (width,)]
    block = [*norm, *attention, *norm, *mlp]
    return ((50257, width), (1024, width), *block * blocks, *norm)


CASES = {
    case.name: case
    for case in (
        Case("tiny", "160 tensors of 100", ((100,),) * 160),
        Case("mlp", "MLP 784-256-10, 4 tensors", _mlp()),
        Case("resnet", "ResNet-like, 159 tensors, 14 M", _resnet()),
        Case("gpt2", "GPT-2 124M, 148 tensors", _gpt2()),
        Case("big", "one tensor of 50 M", ((50_000_000,),)),
    )
}

#: the cases for a CUDA device
ON_CUDA = {
    case.name: case
    for case in (
        Case("cuda-gpt2", "GPT-2 124M, 148 tensors, on a CUDA device", _gpt2()),
        Case("cuda-gpt2-bf16", "GPT-2 124M, all in bfloat16, on a CUDA device", _gpt2(), "bfloat16"),
        Case("cuda-gpt2-xl", "GPT-2 XL 1.5 B, 580 tensors, on a CUDA device", _gpt2(1600, 48)),
        Case("cuda-thousand", "1000 tensors of 1000, on a CUDA device", ((1000,),) * 1000),
    )
}
