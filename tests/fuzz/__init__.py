"""Random trainings, accidents, interruptions, files and texts, each with its expected result: see README.md."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # the helpers of the tests, for `python -m tests.fuzz`
