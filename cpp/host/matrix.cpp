#include "host/matrix.h"

#include <algorithm>
#include <functional>

#include "host/block.h"
#include "host/reductions.h"
#include "host/task.h"

namespace gradstep {

namespace {

// The count of doubles that hold this count of numbers of the arithmetic type.
size_t doubles_for(int64_t numbers, arithmetic type) {
  return size_t(type == arithmetic::f64 ? numbers : (numbers + 1) / 2);
}

// Adds up the bands of each matrix, from the first to the last.
void add_columns(matrix_task& matrix) {
  const matrix_sizes& sizes = matrix.sizes;
  auto band = matrix.column_sums.begin();
  auto of_one = matrix.state_sums.begin();
  for (int64_t i = 0; i < sizes.matrices; ++i, of_one += sizes.columns) {
    std::fill(of_one, of_one + sizes.columns, 0.0);
    for (int64_t j = 0; j < sizes.bands(); ++j, band += sizes.columns)
      std::transform(of_one, of_one + sizes.columns, band, of_one, std::plus<>());
  }
}

// Adds up runs of `rows` rows, each by the lanes of a leaf.
void add_rows(matrix_task& matrix, int64_t rows) {
  auto found = matrix.state_sums.begin();
  for (int64_t first = 0; first < matrix.sizes.all_rows(); first += rows) {
    double lanes[sum_lanes] = {};
    for (int64_t row = 0; row < rows; ++row) lanes[row % sum_lanes] += matrix.row_sums[size_t(first + row)];
    *found++ = fold_lanes(lanes);
  }
}

void renew_state(const target& on, const tensor_task& task, int state, const std::vector<double>& sums) {
  matrix_task& matrix = *task.matrix;
  const int64_t numbers = matrix.sizes.numbers(matrix.form.shapes[state]);
  const double count = double(task.size / numbers);
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
  switch (form.shapes[state]) {
    case state_shape::per_column:
      made.dimensions = {{sizes.matrices, sizes.columns * bytes}, {sizes.rows, 0}, {sizes.columns, bytes}};
      break;
    case state_shape::per_matrix:
      made.dimensions = {{sizes.matrices, bytes}, {sizes.rows * sizes.columns, 0}};
      break;
    case state_shape::per_tensor:
      made.dimensions = {{sizes.all_rows() * sizes.columns, 0}};
      break;
    default:
      made.dimensions = {{sizes.all_rows(), bytes}, {sizes.columns, 0}};
  }
  return made;
}

void reserve_matrix(tensor_task& task) {
  matrix_task& matrix = *task.matrix;
  if (matrix.form.transforms_direction) matrix.directions.resize(doubles_for(task.size, task.type));
  if (!matrix.form.reduces) return;
  matrix.row_sums.resize(size_t(matrix.sizes.all_rows()));
  if (matrix.form.has(state_shape::per_column))
    matrix.column_sums.resize(size_t(matrix.sizes.matrices * matrix.sizes.bands() * matrix.sizes.columns));
  size_t most_sums = 0;
  for (int k = 0; k < task.state_count; ++k) {
    if (!matrix.is_own(k)) continue;
    const int64_t numbers = matrix.sizes.numbers(matrix.form.shapes[k]);
    if (matrix.form.shapes[k] != state_shape::per_row) most_sums = std::max(most_sums, size_t(numbers));
    matrix.numbers[k].resize(doubles_for(numbers, task.type));
    task.states[k] = matrix.repeated(k, reinterpret_cast<char*>(matrix.numbers[k].data()), task.type);
  }
  matrix.state_sums.resize(most_sums);
}

void reduce_band(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  matrix_task& matrix = *task.matrix;
  const update step = update_of(*task.step);
  block parameter(on, task.parameter, task.type), gradient(on, task.gradient, task.type);
  const int64_t row_elements = matrix.sizes.columns;
  double* columns = nullptr;
  if (!matrix.column_sums.empty()) {
    const int64_t row = first / row_elements, of_matrix = row / matrix.sizes.rows;
    const int64_t band = of_matrix * matrix.sizes.bands() + row % matrix.sizes.rows / band_rows;
    columns = matrix.column_sums.data() + band * row_elements;
    std::fill(columns, columns + row_elements, 0.0);
  }
  for (const int64_t end = first + count; first < end; first += row_elements) {
    double lanes[sum_lanes] = {};
    for_each_block(0, row_elements, [&](int64_t column, int64_t n) {
      operands x = {};
      x.n = n;
      x.g = gradient.read(first + column, n);
      if (step.gradient && step.gradient->decay != 0) x.p = parameter.read(first + column, n);
      task.step->body->matrix.reduce(step, x, lanes, columns ? columns + column : nullptr);
    });
    matrix.row_sums[size_t(first / row_elements)] = fold_lanes(lanes);
  }
}

void renew_numbers(const target& on, const tensor_task& task) {
  matrix_task& matrix = *task.matrix;
  for (int k = 0; k < task.state_count; ++k) switch (matrix.form.shapes[k]) {
      case state_shape::like_parameter:
        break;
      case state_shape::per_row:
        renew_state(on, task, k, matrix.row_sums);
        break;
      case state_shape::per_column:
        add_columns(matrix);
        renew_state(on, task, k, matrix.state_sums);
        break;
      case state_shape::per_matrix:
        add_rows(matrix, matrix.sizes.rows);
        renew_state(on, task, k, matrix.state_sums);
        break;
      case state_shape::per_tensor:
        add_rows(matrix, matrix.sizes.all_rows());
        renew_state(on, task, k, matrix.state_sums);
        break;
    }
}

void write_numbers(const target& on, const tensor_task& task) {
  const matrix_task& matrix = *task.matrix;
  for (int k = 0; k < task.state_count; ++k) {
    if (!matrix.is_own(k)) continue;
    block own(on, matrix.own[k], task.type);
    const char* const numbers = reinterpret_cast<const char*>(matrix.numbers[k].data());
    for_each_block(0, matrix.sizes.numbers(matrix.form.shapes[k]), [&](int64_t first, int64_t n) {
      own.put(numbers + first * bytes_of(task.type), first, n);
    });
  }
}

void transform_band(const tensor_task& task, int64_t first, int64_t count) {
  const int64_t columns = task.matrix->sizes.columns;
  for (const int64_t end = first + count; first < end; first += columns)
    task.step->body->matrix.transform_row(task.step->rule, task.direction(first), columns);
}

}  // namespace gradstep
