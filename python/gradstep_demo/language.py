"""What document 4 has alike in its sections on language, 10.2 to 10.4: the optimizer and its rate."""

from gradstep import InverseTimeDecay
from gradstep_demo.settings import Settings, Updates

CORRECTION = "`optimizer.step(current_lr)` is no such call: the rate is the optimizer's, and here a schedule gives it."


def document(batch: int, length: Updates) -> Settings:
    return Settings("document", "Adam", rate=lambda _: InverseTimeDecay(1e-3, rate=1e-4), batch=batch, length=length)
