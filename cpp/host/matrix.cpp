#include "host/matrix.h"

#include <algorithm>
#include <functional>

#include "host/block.h"
#include "host/reductions.h"
#include "host/task.h"

namespace gradstep {

namespace {

// Doubles for so many numbers of the arithmetic type.
size_t doubles_for(int64_t numbers, arithmetic type) {
  return size_t(type == arithmetic::f64 ? numbers : (numbers + 1) / 2);
}

// Adds up the bands, from the first to the last.
std::vector<double> sums_of_columns(const matrix_task& matrix) {
  std::vector<double> found(size_t(matrix.columns));
  for (auto band = matrix.column_sums.begin(); band != matrix.column_sums.end(); band += matrix.columns)
    std::transform(found.begin(), found.end(), band, found.begin(), std::plus<>());
  return found;
}

// By the lanes of a leaf.
double sum_of_rows(const matrix_task& matrix) {
  double lanes[sum_lanes] = {};
  for (size_t row = 0; row < matrix.row_sums.size(); ++row) lanes[row % sum_lanes] += matrix.row_sums[row];
  return fold_lanes(lanes);
}

void renew_state(const target& on, const tensor_task& task, int state, const std::vector<double>& sums) {
  matrix_task& matrix = *task.matrix;
  const int64_t numbers = int64_t(sums.size());
  const double count = double(matrix.rows) * double(matrix.columns) / double(numbers);
  block own(on, matrix.own[state], task.type);
  char* const after = reinterpret_cast<char*>(matrix.numbers[state].data());
  for_each_block(0, numbers, [&](int64_t first, int64_t n) {
    task.step->body->matrix.renew(task.step->rule, state, own.read(first, n), sums.data() + first, count,
                                  after + first * bytes_of(task.type), n);
  });
}

}  // namespace

operand matrix_task::repeated(int state, char* data, arithmetic type) const {
  operand made;
  made.data = data;
  made.type = type == arithmetic::f64 ? dtype::f64 : dtype::f32;
  made.direct = false;
  const int64_t bytes = bytes_of(type);
  const state_shape shape = form.shapes[state];
  made.dimensions = {{rows, shape == state_shape::per_row ? bytes : 0},
                     {columns, shape == state_shape::per_column ? bytes : 0}};
  return made;
}

void reserve_matrix(tensor_task& task) {
  matrix_task& matrix = *task.matrix;
  if (matrix.form.transforms_direction) matrix.directions.resize(doubles_for(task.size, task.type));
  if (!matrix.form.reduces) return;
  matrix.row_sums.resize(size_t(matrix.rows));
  if (matrix.form.has(state_shape::per_column))
    matrix.column_sums.resize(size_t(count_bands(matrix.rows) * matrix.columns));
  for (int k = 0; k < task.state_count; ++k) {
    if (!matrix.is_own(k)) continue;
    const int64_t numbers = count_numbers(matrix.form.shapes[k], matrix.rows, matrix.columns);
    matrix.numbers[k].resize(doubles_for(numbers, task.type));
    task.states[k] = matrix.repeated(k, reinterpret_cast<char*>(matrix.numbers[k].data()), task.type);
  }
}

void reduce_band(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  matrix_task& matrix = *task.matrix;
  const update step = update_of(*task.step);
  block parameter(on, task.parameter, task.type), gradient(on, task.gradient, task.type);
  double* columns = nullptr;
  if (!matrix.column_sums.empty()) {
    columns = matrix.column_sums.data() + first / matrix.columns / band_rows * matrix.columns;
    std::fill(columns, columns + matrix.columns, 0.0);
  }
  for (const int64_t end = first + count; first < end; first += matrix.columns) {
    double lanes[sum_lanes] = {};
    for_each_block(0, matrix.columns, [&](int64_t column, int64_t n) {
      operands x = {};
      x.n = n;
      x.g = gradient.read(first + column, n);
      if (step.gradient && step.gradient->decay != 0) x.p = parameter.read(first + column, n);
      task.step->body->matrix.reduce(step, x, lanes, columns ? columns + column : nullptr);
    });
    matrix.row_sums[size_t(first / matrix.columns)] = fold_lanes(lanes);
  }
}

void renew_numbers(const target& on, const tensor_task& task) {
  const matrix_task& matrix = *task.matrix;
  for (int k = 0; k < task.state_count; ++k) switch (matrix.form.shapes[k]) {
      case state_shape::like_parameter:
        break;
      case state_shape::per_row:
        renew_state(on, task, k, matrix.row_sums);
        break;
      case state_shape::per_column:
        renew_state(on, task, k, sums_of_columns(matrix));
        break;
      case state_shape::per_tensor:
        renew_state(on, task, k, {sum_of_rows(matrix)});
        break;
    }
}

void write_numbers(const target& on, const tensor_task& task) {
  const matrix_task& matrix = *task.matrix;
  for (int k = 0; k < task.state_count; ++k) {
    if (!matrix.is_own(k)) continue;
    block own(on, matrix.own[k], task.type);
    const char* const numbers = reinterpret_cast<const char*>(matrix.numbers[k].data());
    for_each_block(
        0, count_numbers(matrix.form.shapes[k], matrix.rows, matrix.columns),
        [&](int64_t first, int64_t n) { own.put(numbers + first * bytes_of(task.type), first, n); });
  }
}

void transform_band(const tensor_task& task, int64_t first, int64_t count) {
  const int64_t columns = task.matrix->columns;
  for (const int64_t end = first + count; first < end; first += columns)
    task.step->body->matrix.transform_row(task.step->rule, task.direction(first), columns);
}

}  // namespace gradstep
