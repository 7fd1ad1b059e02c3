"""What a metric, or somebody else's optimizer, has to do with the rate."""

from gradstep.feedback.attachment import attach
from gradstep.feedback.explore import Explore
from gradstep.feedback.plateau import Plateau

__all__ = ["Explore", "Plateau", "attach"]
