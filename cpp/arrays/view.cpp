#include "arrays/view.h"

namespace gradstep {

std::string device::text() const {
  if (type == host_memory.type) return "the CPU";
  if (type == cuda_device) return "cuda:" + std::to_string(id);
  return "DLPack device " + std::to_string(type) + ":" + std::to_string(id);
}

int64_t array_view::size() const {
  int64_t n = 1;
  for (int d = 0; d < ndim; ++d) n *= dimensions[d].size;
  return n;
}

bool array_view::same_shape_as(const array_view& other) const {
  bool same = ndim == other.ndim;
  for (int d = 0; same && d < ndim; ++d) same = dimensions[d].size == other.dimensions[d].size;
  return same;
}

bool array_view::same_place_as(const array_view& other) const {
  bool same = ndim == other.ndim && complex == other.complex;
  for (int d = 0; same && d < ndim; ++d) same = dimensions[d] == other.dimensions[d];
  return same;
}

void array_view::see_as_pairs() {
  complex = true;
  dimensions[ndim++] = {2, format_of(type).bytes};
}

std::optional<scalar_ref> scalar_of(const array_view& number) {
  if (number.size() != 1 || (number.type != dtype::f32 && number.type != dtype::f64)) return std::nullopt;
  return scalar_ref{number.data, number.type};
}

}  // namespace gradstep
