// Arrays of Python, read: from their owners to views.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arrays/view.h"

namespace gradstep {

// A flag of pybind11's array_t: an array that is not aligned is copied, so that it may be read through a
// typed pointer.
constexpr int aligned_array = pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_;

// The shape as the array's owner sees it.
pybind11::tuple shape_of(const array_view& array);

void refuse_elsewhere(const array_view& array, const array_role& role);

// Raise for an array, named by `what`: one that can't be written, one that is complex where the parameter is
// real or real where it is complex, and one that has not the parameter's shape either.
[[noreturn]] void refuse_read_only(const std::string& what);
void require_same_kind(const array_view& given, const array_view& parameter, const std::string& what);
void require_shape(const array_view& given, const array_view& parameter, const std::string& what);

// A number to be written. Raises for what is no array of one float32 or float64 number; `what` names it.
scalar_ref read_scalar(const array_view& number, const std::string& what);

// False for what is neither a strided torch tensor nor a NumPy array of a dtype that NumPy knows; wherever it
// lies.
bool read_directly(pybind11::handle array, array_view& view);

// True if a tensor or an array of NumPy still lies as it was read, and for others, which their owners keep.
bool lies_as_read(pybind11::handle array, const array_view& view);

// Remembers where and how an array lay when it was read, to find out that it still does in half the time of
// reading it again. This works for tensors and NumPy's arrays: any other is never found unchanged.
class sighting {
 public:
  void remember(pybind11::handle array, const array_view& read);  // forgets one that has moved since
  void forget() {
    type_ = {};
    described_.reset();
  }
  bool is_unchanged(pybind11::handle array) const;  // runs no code of others
  bool was_moved(pybind11::handle array) const;     // since it was remembered, as far as that can be seen

 private:
  struct raw;
  static constexpr int near_limit = 4;

  bool look(pybind11::handle array, raw& seen) const;
  int64_t* dimensions() { return ndim_ <= near_limit ? near_ : far_.data(); }
  const int64_t* dimensions() const { return ndim_ <= near_limit ? near_ : far_.data(); }

  pybind11::object type_, number_type_;  // the array's class, and NumPy's dtype
  const void* interface_ = nullptr;      // DLPack's exchange API, for a tensor
  bool by_shim_ = false;                 // or torch's own functions
  const void* data_ = nullptr;
  uint64_t kind_ = 0;  // DLPack's dtype and device, torch's dtype, or NumPy's flags
  int64_t storage_bytes_ = 0, storage_offset_ = 0;  // where torch's functions tell them
  int ndim_ = 0;
  // Sizes, then strides: of few dimensions beside the rest, since a step compares them for each array.
  int64_t near_[2 * near_limit];
  std::vector<int64_t> far_;
  std::shared_ptr<const array_view> described_;  // of a tensor that has to be described again
};

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

// Raises for a tensor that DLPack gives although its elements are not to be had as they lie: a lazily negated
// view, and one whose storage has become too small for it. Asking costs more than reading, so it is asked of
// arrays that are new or have moved, not of those that a step has seen before. `view` is the tensor as it was
// read.
void inspect_tensor(pybind11::handle array, const array_view& view, const array_role& role);

// Counts the calls of code that may move any array: functions of Python. Arrays that were read before such a
// call are read again before anything is written.
uint64_t foreign_calls();
void count_foreign_call();
[[noreturn]] void refuse_moving();  // of arrays by such code, while they are read

// While arrays are read the garbage collector rests: what it frees may run code that moves another.
class no_garbage_collection {
 public:
  no_garbage_collection();
  ~no_garbage_collection();
  no_garbage_collection(const no_garbage_collection&) = delete;

  // In the child of a fork(): those threads have stayed behind, and will not end their pauses.
  static void end_pauses_of_other_threads();

 private:
  const bool was_on_;
};

}  // namespace gradstep
