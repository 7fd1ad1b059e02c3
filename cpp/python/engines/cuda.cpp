// gradstep._cuda: nothing but the engine, for the core.
#include "python/engines/module.h"

PYBIND11_MODULE(_cuda, m) { gradstep::GS_TARGET::add_engine(m); }
