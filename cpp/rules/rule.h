// What every rule shares. A rule is a struct of this step's constants whose body is a template on the
// arithmetic type: a vector on the CPU, one number in a CUDA thread. It sees one gradient and its states and
// returns its direction u; the engine flips the gradient (maximize) and adds coupled decay before it, and
// does p = fma(-rate, u, keep * p) after it. A rule that needs or writes p itself says `writes_parameter` and
// takes it first, already multiplied by keep. Letters: p parameter, g gradient, m and v first and second
// moment.
#pragma once

#include "../clock.h"
#include "../math.h"
#include "../transcendental.h"
