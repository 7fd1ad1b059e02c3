#include "step/caller_lock.h"

namespace gradstep {

namespace {

caller_lock lock_in_use = {[]() -> void* { return nullptr; }, [](void*) {}};

}  // namespace

void set_caller_lock(const caller_lock& lock) { lock_in_use = lock; }
const caller_lock& current_caller_lock() { return lock_in_use; }

}  // namespace gradstep
