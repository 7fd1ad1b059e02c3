// torch's C functions for compiled models, whose binary interface torch keeps. They tell where a plain tensor
// lies in half the time of DLPack's exchange API, and how large its storage is, which that does not tell.
#pragma once

#include <pybind11/cast.h>

#include <array>
#include <cstdint>

namespace gradstep {

struct tensor_place {
  void* data;
  int64_t ndim;
  int64_t *sizes, *strides;               // the tensor's own, in elements
  int32_t dtype;                          // torch's number
  int64_t storage_bytes, storage_offset;  // the offset in elements
};

class tensor_shim {
 public:
  static constexpr size_t function_count = 7;

  // Takes the addresses of the functions that gradstep.interop.tensor_shim names, in its order, and the place
  // of the handle in a tensor's object.
  static void meet(const std::array<uintptr_t, function_count>& functions, size_t handle_offset);
  static bool is_known();

  // False where torch refuses an answer; runs no code of Python. For a tensor of a type without any.
  static bool look(pybind11::handle tensor, tensor_place& place);
};

}  // namespace gradstep
