"""The Python functions that the core calls. The core is given them when gradstep is imported."""

from gradstep import _core
from gradstep.interop.arrays import describe, meet_type
from gradstep.interop.devices import current_stream, empty_caches
from gradstep.interop.sparse import read_rows

_core.hand_callables(
    meet_type=meet_type,
    describe=describe,
    read_rows=read_rows,
    current_stream=current_stream,
    empty_caches=empty_caches,
)
