// Visits a run of elements by the widest access that its arrays allow, and the rest by narrower ones.
#pragma once

#include "cuda/access.cuh"

namespace gradstep::GS_TARGET {

// Calls part<Access, in_flight>(first, end) for elements that are reached one by one, or by groups.
template <class T, int in_flight, class Part>
__device__ __forceinline__ void visit_singles(const array_access& access, int64_t first, int64_t end,
                                              const Part& part) {
  if constexpr (has_grouped_formats)
    if (!access.single) {
      constexpr int group = grouped_access<T>::count;
      part.template operator()<grouped_access<T>, 1>(first, (end + group - 1) / group * group);
      return;
    }
  if (access.contiguous)
    part.template operator()<contiguous_access<T>, in_flight>(first, end);
  else
    part.template operator()<placed_access<T>, 1>(first, end);
}

// Calls part<Access, in_flight>(first, end) by the widest access that the arrays allow, and again for the
// rest. `part` returns where the elements begin that are too few for a whole access. `limits` says how many
// packs and how many single elements are in flight at once.
template <class T, class limits, class Part>
__device__ __forceinline__ void visit_by(const array_access& access, int64_t first, int64_t end,
                                         const Part& part) {
  if (reach_of(access) == reach::native)
    first = part.template operator()<native_access<T, pack_count<T>>, limits::packs>(first, end);
  else if constexpr (sizeof(T) == sizeof(float))
    if (reach_of(access) == reach::stored)
      first = part.template operator()<stored_access<stored_pack_count>, 1>(first, end);
  if (first < end) visit_singles<T, limits::singles>(access, first, end, part);
}

}  // namespace gradstep::GS_TARGET
