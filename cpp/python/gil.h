// Python's lock, which the core gives back while it works on arrays alone.
#pragma once

namespace gradstep {

// To be called once.
void let_core_release_gil();

}  // namespace gradstep
