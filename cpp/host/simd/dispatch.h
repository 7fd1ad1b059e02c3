// The choice of the CPU target: the best that the machine has, or the requested one.
#pragma once

#include <string>
#include <vector>

#include "host/simd/target.h"

namespace gradstep {

std::vector<const target*> available_targets();  // on this machine, the best last

const target& active_target();

// False if there is none of this name.
bool select_target(const std::string& name);

}  // namespace gradstep
