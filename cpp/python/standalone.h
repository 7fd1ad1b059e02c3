// The operations before and after the rule as standalone functions, over arrays that no plan holds. Their
// bodies and their loop are those of the step, and so are their bits.
#pragma once

#include <pybind11/cast.h>

#include <optional>

#include "host/simd/target.h"
#include "python/standalone_arrays.h"
#include "step/sums.h"

namespace gradstep {

// Lists of gradients hold None where there is no gradient. Every refusal is raised before the first write.
class standalone_operations {
 public:
  virtual ~standalone_operations() = default;

  // Multiplies gradients by `by`; true if a number is infinite or NaN then.
  bool unscale(const pybind11::list& gradients, double by);

  double norm(const pybind11::list& gradients);

  // Shrinks them as a norm of at most `limit` needs, if theirs is `total`, or as it is; returns that norm.
  double clip_norm(const pybind11::list& gradients, double limit, std::optional<double> total);

  void clip_value(const pybind11::list& gradients, double limit);

  void zero(const pybind11::list& gradients);

  // Moves each average towards its parameter. `product`, an array of one number or None, is that of the
  // decays so far: it corrects the weights and is taken a step further.
  void average(const pybind11::list& averages, const pybind11::list& parameters, double decay,
               const pybind11::object& product);

  // Rounds each parameter to the dtype of its copy.
  void cast(const pybind11::list& copies, const pybind11::list& parameters);

 protected:
  virtual device where() const = 0;
  virtual void transform(standalone_arrays& gradients, const gradient_transform& stage) = 0;
  virtual sums sum(standalone_arrays& gradients, double by) = 0;  // of the gradients times `by`
  virtual sums sum_transformed(standalone_arrays& gradients,
                               const gradient_transform& stage) = 0;  // once they are
  virtual void fill_with_zeros(standalone_arrays& gradients) = 0;
  virtual void follow(standalone_arrays& averages_or_copies, double weight) = 0;
  // A few bytes from where the arrays are, and to there.
  virtual void read(void* to, const void* from, size_t bytes, const standalone_arrays& beside) = 0;
  virtual void write(void* to, const void* from, size_t bytes, const standalone_arrays& beside) = 0;

 private:
  standalone_arrays written(const pybind11::list& gradients) const;
  double norm_of(standalone_arrays& gradients);
};

}  // namespace gradstep
