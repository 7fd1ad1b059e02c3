// Starting a kernel, on a device and on the emulated one.
#pragma once

#include <type_traits>

#include "cuda/runtime.h"

namespace gradstep::GS_TARGET {

// Null, or what went wrong. The runtime remembers the error too, and the next launch would be told of it
// although it runs: it is cleared here.
inline const char* failure(cudaError_t error) {
  if (error == cudaSuccess) return nullptr;
  cudaGetLastError();
  return cudaGetErrorString(error);
}

template <class... Parameters>
const char* launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, cudaStream_t stream,
                   const std::type_identity_t<Parameters>&... arguments) {
#if defined(__CUDACC__)
  kernel<<<blocks, threads, 0, stream>>>(arguments...);
#else
  emulation::launch(blocks, threads, stream, [=] { kernel(arguments...); });
#endif
  return failure(cudaGetLastError());
}

}  // namespace gradstep::GS_TARGET
