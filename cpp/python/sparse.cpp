#include "python/sparse.h"

#include "python/callables.h"

namespace py = pybind11;

namespace gradstep {

std::optional<sparse_gradient> find_rows(py::handle gradient, const array_view& parameter,
                                         const array_role& role) {
  const py::object found = python().read_rows(gradient, shape_of(parameter), role.text());
  if (found.is_none()) return std::nullopt;
  const py::tuple rows = found;
  return sparse_gradient{rows[0].cast<int>(), rows[1].cast<row_numbers>(), rows[2]};
}

row_numbers read_row_numbers(py::handle numbers) { return numbers.cast<row_numbers>(); }

std::span<const int64_t> numbers_of(const row_numbers& numbers) {
  return {numbers.data(), size_t(numbers.size())};
}

}  // namespace gradstep
