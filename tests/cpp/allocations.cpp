// Replaces the allocation functions of the tests' program by counting ones.
#include "allocations.h"

#include <cstdlib>
#include <new>

namespace {

void* counted(void* made) noexcept {
  ++checks::allocations;
  return made;
}

void* made_or_thrown(void* made) {
  if (!made) throw std::bad_alloc();
  return made;
}

}  // namespace

// Not inlined: gcc would warn of memory from `new` that `free` takes.
[[gnu::noinline]] void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return counted(std::malloc(bytes ? bytes : 1));
}
[[gnu::noinline]] void* operator new(size_t bytes) {
  return made_or_thrown(operator new(bytes, std::nothrow));
}
[[gnu::noinline]] void* operator new(size_t bytes, std::align_val_t alignment) {
  const size_t multiple = size_t(alignment);
  return made_or_thrown(counted(std::aligned_alloc(multiple, (bytes / multiple + 1) * multiple)));
}
[[gnu::noinline]] void operator delete(void* made) noexcept { std::free(made); }
[[gnu::noinline]] void operator delete(void* made, size_t) noexcept { std::free(made); }
[[gnu::noinline]] void operator delete(void* made, std::align_val_t) noexcept { std::free(made); }
[[gnu::noinline]] void operator delete(void* made, size_t, std::align_val_t) noexcept { std::free(made); }

// By the functions themselves: a compiler may leave a container's allocation out.
TEST(allocations_are_counted) {
  const int64_t before = checks::allocations;
  void* const plain = ::operator new(3);
  void* const aligned = ::operator new(3, std::align_val_t(64));
  CHECK_EQ(checks::allocations, before + 2);
  ::operator delete(plain);
  ::operator delete(aligned, std::align_val_t(64));
}
