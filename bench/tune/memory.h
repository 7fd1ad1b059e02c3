// Memory of the device, and a stream. What fails throws.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cuda/launch.h"

namespace gradstep::GS_TARGET::tune {

inline void check(const char* error, const char* what) {
  if (error) throw std::runtime_error(std::string(what) + ": " + error);
}
inline void check(cudaError_t error, const char* what) { check(failure(error), what); }

// Not the default stream, which others may wait for.
class own_stream {
 public:
#if defined(__CUDACC__)
  own_stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  ~own_stream() { static_cast<void>(cudaStreamDestroy(stream_)); }
#else
  own_stream() = default;
#endif
  own_stream(const own_stream&) = delete;

  cudaStream_t get() const { return stream_; }
  void wait(const char* what) const { check(cudaStreamSynchronize(stream_), what); }

 private:
  cudaStream_t stream_ = nullptr;
};

class memory {
 public:
  memory() = default;
  explicit memory(size_t bytes) : bytes_(bytes) {
    void* data = nullptr;
    check(cudaMalloc(&data, bytes), "cudaMalloc");
    data_ = static_cast<char*>(data);
  }
  memory(memory&& from) noexcept : data_(std::exchange(from.data_, nullptr)), bytes_(from.bytes_) {}
  memory& operator=(memory&& from) noexcept {
    std::swap(data_, from.data_);
    std::swap(bytes_, from.bytes_);
    return *this;
  }
  ~memory() {
    if (data_) static_cast<void>(cudaFree(data_));
  }

  char* data() const { return data_; }
  size_t size() const { return bytes_; }

  void send(const void* from, cudaStream_t stream) const {
    check(cudaMemcpyAsync(data_, from, bytes_, cudaMemcpyHostToDevice, stream),
          "cudaMemcpyAsync to the device");
  }
  void fetch(void* to, cudaStream_t stream) const {
    check(cudaMemcpyAsync(to, data_, bytes_, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync to the host");
    check(cudaStreamSynchronize(stream), "waiting for the device");
  }

 private:
  char* data_ = nullptr;
  size_t bytes_ = 0;
};

// An array of the device with what it starts from.
template <class T>
class table {
 public:
  table() = default;
  explicit table(std::vector<T> from) : from_(std::move(from)), memory_(from_.size() * sizeof(T)) {}

  T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  const memory& bytes() const { return memory_; }
  void send(cudaStream_t stream) const { memory_.send(from_.data(), stream); }

 private:
  std::vector<T> from_;
  memory memory_;
};

}  // namespace gradstep::GS_TARGET::tune
