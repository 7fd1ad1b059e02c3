#include "python/sparse.h"

#include "python/callables.h"

namespace py = pybind11;

namespace gradstep {

std::optional<sparse_gradient> find_rows(py::handle gradient, const array_view& parameter,
                                         const array_role& role) {
  const py::object found = python().read_rows(gradient, shape_of(parameter), role.text());
  if (found.is_none()) return std::nullopt;
  const py::tuple rows = found;
  return sparse_gradient{rows[0].cast<int>(), whole_numbers(rows[1]), rows[2]};
}

}  // namespace gradstep
