"""Random numbers of one case."""

import random


class Draw(random.Random):
    """Everything that a case draws follows from the seed and the case's number."""

    def __init__(self, seed: int, number: int) -> None:
        super().__init__(f"{seed}/{number}")

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def seed_of(self) -> int:
        """A seed for others."""
        return self.randrange(2**31)


class NotApplicable(Exception):
    """The case that was drawn is none: another option rules it out."""
