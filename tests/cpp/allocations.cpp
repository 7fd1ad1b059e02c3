// Replaces the allocation functions of the tests' program by counting ones.
#include "allocations.h"

#include <cstdlib>
#include <new>

namespace {

void* counted(void* made) {
  ++checks::allocations;
  if (!made) throw std::bad_alloc();
  return made;
}

}  // namespace

void* operator new(size_t bytes) { return counted(std::malloc(bytes ? bytes : 1)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  const size_t multiple = size_t(alignment);
  return counted(std::aligned_alloc(multiple, (bytes / multiple + 1) * multiple));
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, size_t) noexcept { std::free(made); }
void operator delete(void* made, std::align_val_t) noexcept { std::free(made); }
void operator delete(void* made, size_t, std::align_val_t) noexcept { std::free(made); }

TEST(allocations_are_counted) {
  const int64_t before = checks::allocations;
  std::vector<int> some(3);
  CHECK_EQ(checks::allocations, before + 1);
  some.reserve(1000);
  CHECK_EQ(checks::allocations, before + 2);
}
