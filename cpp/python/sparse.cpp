#include "python/sparse.h"

#include "python/aligned_array.h"
#include "python/callables.h"

namespace py = pybind11;

namespace gradstep {

namespace {

using numbers_array = aligned_array<int64_t>;

}  // namespace

std::optional<sparse_gradient> find_rows(py::handle gradient, const array_view& parameter,
                                         const array_role& role) {
  const py::object found = python().read_rows(gradient, shape_of(parameter), role.text());
  if (found.is_none()) return std::nullopt;
  const py::tuple rows = found;
  return sparse_gradient{rows[0].cast<int>(), read_row_numbers(rows[1]), rows[2]};
}

row_numbers read_row_numbers(py::handle numbers) { return {numbers.cast<numbers_array>()}; }

std::span<const int64_t> numbers_of(const row_numbers& numbers) {
  const auto array = py::reinterpret_borrow<numbers_array>(numbers.array);
  return {array.data(), size_t(array.size())};
}

}  // namespace gradstep
