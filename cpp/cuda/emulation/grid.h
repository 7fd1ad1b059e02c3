// The blocks of a launch, one after the other, and the threads of a block by turns.
#pragma once

#include <functional>

namespace gradstep::emulation {

void run_grid(unsigned blocks, unsigned threads, const std::function<void()>& kernel);

}  // namespace gradstep::emulation
