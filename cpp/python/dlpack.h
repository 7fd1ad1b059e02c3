// The part of DLPack 1.3's binary interface that reading a tensor needs:
// https://dmlc.github.io/dlpack/latest/c_api.html
#pragma once

#include <cstdint>

namespace gradstep::dlpack {

constexpr const char* exchange_attribute = "__dlpack_c_exchange_api__";
constexpr const char* exchange_capsule = "dlpack_exchange_api";

struct tensor {
  void* data;
  int32_t device_type, device_id;
  int32_t ndim;
  uint8_t type_code, type_bits;
  uint16_t type_lanes;
  int64_t* shape;
  int64_t* strides;  // in elements
  uint64_t byte_offset;
};

struct exchange_api {
  uint32_t major, minor;
  exchange_api* older;
  int (*allocate)();
  int (*managed_from_object)();
  int (*managed_to_object)();
  int (*tensor_from_object)(void* object, tensor* out);
  int (*current_stream)(int32_t device_type, int32_t device_id, void** out);
};

}  // namespace gradstep::dlpack
