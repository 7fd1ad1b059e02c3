// How an array lay when it was read.
#pragma once

#include <pybind11/cast.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "arrays/view.h"

namespace gradstep {

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
  // Of one that has to be described again: whether it was read like this before.
  bool was_read_as(const array_view& now) const;

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
  // Sizes, then strides. Arrays of few dimensions keep them here, since a step compares them for each array.
  int64_t near_[2 * near_limit];
  std::vector<int64_t> far_;
  std::shared_ptr<const array_view> described_;  // of a tensor that has to be described again
};

}  // namespace gradstep
