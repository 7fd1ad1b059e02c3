#include "python/tensor_shim.h"

namespace gradstep {

namespace {

using tensor_handle = const void*;
template <class T>
using getter = int32_t (*)(tensor_handle, T*);  // returns 0, or an error

struct shim_functions {
  getter<void*> data = nullptr;
  getter<int64_t> ndim;
  getter<int64_t*> sizes, strides;
  getter<int32_t> dtype;
  getter<int64_t> storage_bytes, storage_offset;
  size_t handle_offset;
};
shim_functions torch;

template <class T>
void take(getter<T>& function, uintptr_t address) {
  function = reinterpret_cast<getter<T>>(address);
}

}  // namespace

void tensor_shim::meet(const std::array<uintptr_t, function_count>& functions, size_t handle_offset) {
  take(torch.data, functions[0]);
  take(torch.ndim, functions[1]);
  take(torch.sizes, functions[2]);
  take(torch.strides, functions[3]);
  take(torch.dtype, functions[4]);
  take(torch.storage_bytes, functions[5]);
  take(torch.storage_offset, functions[6]);
  torch.handle_offset = handle_offset;
}

bool tensor_shim::is_known() { return torch.data; }

bool tensor_shim::look(pybind11::handle tensor, tensor_place& place) {
  const tensor_handle handle = reinterpret_cast<const char*>(tensor.ptr()) + torch.handle_offset;
  return torch.data(handle, &place.data) == 0 && torch.ndim(handle, &place.ndim) == 0 &&
         torch.sizes(handle, &place.sizes) == 0 && torch.strides(handle, &place.strides) == 0 &&
         torch.dtype(handle, &place.dtype) == 0 && torch.storage_bytes(handle, &place.storage_bytes) == 0 &&
         torch.storage_offset(handle, &place.storage_offset) == 0;
}

}  // namespace gradstep
