#include "python/standalone.h"

#include "host/gradients.h"
#include "python/whole_writes.h"
#include "step/options.h"

namespace py = pybind11;

namespace gradstep {

standalone_arrays standalone_operations::written(const py::list& gradients) const {
  standalone_arrays arrays(where(), gradients.size());
  arrays.read_written_gradients(gradients);
  return arrays;
}

bool standalone_operations::unscale(const py::list& gradients, double by) {
  standalone_arrays arrays = written(gradients);
  arrays.tell_autograd();
  return sum_transformed(arrays, {by, 1, no_limit, 0, false}).nonfinite > 0;
}

double standalone_operations::norm(const py::list& gradients) {
  standalone_arrays arrays(where(), gradients.size());
  arrays.read_gradients(gradients);
  return norm_of(arrays);
}

double standalone_operations::norm_of(standalone_arrays& gradients) {
  return norm_by([&](double by) { return sum(gradients, by); });
}

double standalone_operations::clip_norm(const py::list& gradients, double limit,
                                        std::optional<double> total) {
  standalone_arrays arrays = written(gradients);
  const double norm = total ? *total : norm_of(arrays);
  const double clip_factor = clip_factor_for(limit, norm);
  arrays.tell_autograd();
  if (clip_factor != 1) transform(arrays, {1, clip_factor, no_limit, 0, false});
  return norm;
}

void standalone_operations::clip_value(const py::list& gradients, double limit) {
  standalone_arrays arrays = written(gradients);
  arrays.tell_autograd();
  transform(arrays, {1, 1, limit, 0, false});
}

void standalone_operations::zero(const py::list& gradients) {
  standalone_arrays arrays = written(gradients);
  arrays.tell_autograd();
  fill_with_zeros(arrays);
}

void standalone_operations::average(const py::list& averages, const py::list& parameters, double decay,
                                    const py::object& product) {
  standalone_arrays arrays(where(), 2 * parameters.size());
  arrays.read_pairs(&tensor_task::average, "the average of parameter", averages, parameters);
  if (product.is_none()) {
    arrays.tell_autograd();
    return follow(arrays, 1 - decay);
  }
  const scalar_ref there = arrays.read_number(product, "product");
  const auto bytes = size_t(format_of(there.type).bytes);
  char number[sizeof(double)];
  const scalar_ref here = {number, there.type};
  read(number, there.data, bytes, arrays);
  double so_far = here.get();
  const whole_writes together;
  arrays.tell_autograd();
  follow(arrays, corrected_average_weight(decay, so_far));
  here.set(so_far);
  write(there.data, number, bytes, arrays);
}

void standalone_operations::cast(const py::list& copies, const py::list& parameters) {
  standalone_arrays arrays(where(), 2 * parameters.size());
  arrays.read_pairs(&tensor_task::copy, "the copy of parameter", copies, parameters);
  arrays.tell_autograd();
  follow(arrays, 0);
}

}  // namespace gradstep
