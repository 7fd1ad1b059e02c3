// An array as its owner gives it: where it lies and what it is. Reading one copies nothing and keeps nothing.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "storage/dtype.h"

namespace gradstep {

constexpr int dimension_limit = 64;

struct dimension {
  int64_t size, stride;  // stride in bytes

  bool operator==(const dimension&) const = default;
};

// The memory that an array lies in, numbered as by DLPack.
struct device {
  int32_t type, id;

  bool operator==(const device&) const = default;
  std::string text() const;  // "cuda:0"
};
constexpr device host_memory = {1, 0};

struct array_view {
  char* data;
  dtype type;
  bool writable;
  device where;
  // Complex numbers are pairs of reals: `type` is that of the reals, and the last dimension counts the two.
  bool complex = false;
  int ndim;
  dimension dimensions[dimension_limit + 1];

  int64_t size() const;                               // of a complex array: two for each number
  pybind11::tuple shape() const;                      // as its owner sees it
  bool same_place_as(const array_view& other) const;  // the dimensions, not the data
};

// What an array is to the step: "the gradient of parameter" and 3, or no number for the only one of its kind,
// for messages; and where it must lie.
struct array_role {
  const char* what;
  int index = -1;
  device where = host_memory;

  std::string text() const { return index < 0 ? what : std::string(what) + " " + std::to_string(index); }
  void refuse_elsewhere(const array_view& array) const;
};

// Raise for an array, named by `what`: one that can't be written, one that is complex where the parameter is
// real or real where it is complex, and one that has not the parameter's shape either.
[[noreturn]] void refuse_read_only(const std::string& what);
void require_same_kind(const array_view& given, const array_view& parameter, const std::string& what);
void require_shape(const array_view& given, const array_view& parameter, const std::string& what);

// False for what is neither a strided torch tensor nor a NumPy array of a dtype that NumPy knows; wherever it
// lies.
bool read_directly(pybind11::handle array, array_view& view);

// Reads a torch tensor through the DLPack C exchange API, a NumPy array through its own structure, and
// anything else through gradstep.arrays.describe, which raises for what can't be used and returns an owner
// that keeps the memory alive. `read_array` raises for one that lies elsewhere than its role says.
array_view read_anywhere(pybind11::handle array, const array_role& role, pybind11::object& owner);
array_view read_array(pybind11::handle array, const array_role& role, pybind11::object& owner);
array_view read_description(pybind11::handle array, const array_role& role, pybind11::object& owner);

// Where the arrays lie, but for those that can't be read (a step that needs one says why); raises if that is
// not one and the same place. The host for none.
device common_device(const pybind11::list& parameters);

// The stream that the array's library works on now, there; null for the host's memory.
void* current_stream(pybind11::handle array, const device& where);

// Raises for torch's lazily negated view, which DLPack gives without its sign. Asking costs as much as
// reading, so it is asked of arrays that are new, not of those that a step has seen before.
void refuse_negated(pybind11::handle array, const array_role& role);

// Raises for a tensor that gradstep.arrays.describe refuses: besides the above, one whose storage has become
// too small for it. For parameters that are new or have moved: it costs microseconds.
void inspect_tensor(pybind11::handle array, const array_role& role);

}  // namespace gradstep
