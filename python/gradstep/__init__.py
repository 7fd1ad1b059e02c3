"""gradstep: the step of gradient descent at the speed of memory."""

import os

from gradstep import _core

if forced := os.environ.get("GRADSTEP_TARGET"):
    _core.select_target(forced)
