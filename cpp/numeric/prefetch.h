// Memory asked for before it is read. A loop that does much with each cache line otherwise leaves a part of
// the memory's speed to what the processor guesses.
#pragma once

#include <cstdint>

#include "numeric/portable.h"

namespace gradstep {

inline constexpr int line_bytes = 64;  // of a cache line

// Asks for what lies `distance` bytes ahead of the `count` numbers from element i on, in a loop that starts
// at 0 and goes on by `count`: each line once, for twice costs. Past the end of the array it does no harm.
template <int count, class T>
GS_HD void prefetch(const T* array, int64_t i, uintptr_t distance) {
  constexpr int in_line = line_bytes / int(sizeof(T));
  static_assert(count % in_line == 0 || in_line % count == 0);
  if (count < in_line && i % in_line != 0) return;
  const uintptr_t ahead = reinterpret_cast<uintptr_t>(array + i) + distance;
  for (int line = 0; line * in_line < count; ++line)
    __builtin_prefetch(reinterpret_cast<const void*>(ahead + uintptr_t(line * line_bytes)));
}

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET {

inline uintptr_t prefetch_distance = 2048;  // the dispatch sets what suits the processor

template <int count, class T>
GS_HD void prefetch(const T* array, int64_t i) {
  gradstep::prefetch<count>(array, i, prefetch_distance);
}

}  // namespace gradstep::GS_TARGET
#endif
