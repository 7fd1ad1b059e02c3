"""Rates driven by a metric, and schedules for other libraries' optimizers."""

from gradstep.feedback.attachment import attach
from gradstep.feedback.explore import Explore
from gradstep.feedback.plateau import Plateau

__all__ = ["Explore", "Plateau", "attach"]
