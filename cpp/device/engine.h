// A device of an engine: errors become exceptions, and memory is freed.
#pragma once

#include <new>
#include <string>
#include <utility>

#include "arrays/view.h"
#include "device/engine_api.h"

namespace gradstep {

// Python's MemoryError.
class out_of_device_memory : public std::bad_alloc {
 public:
  explicit out_of_device_memory(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

class device_engine {
 public:
  // Throws if the engine is of another version, or has no such device.
  device_engine(const engine& of, int device);

  const engine* operator->() const { return engine_; }
  device where() const { return {engine_->device_type, device_}; }

  // Throws std::runtime_error with an error's text.
  void check(const char* error) const {
    if (error) fail(error);
  }
  bool is_out_of_memory(const char* error) const;
  bool is_capturing(void* stream) const;
  void wait(void* stream) const;  // the caller's lock released
  void fetch(void* to, const void* from, size_t bytes, void* stream) const;

 private:
  [[noreturn]] void fail(const char* error) const;

  const engine* engine_;
  int device_;
};

// Makes a device the thread's current one while it lives. If it already is, no call is made: setting a thread
// back to a device that it has not used yet would create a context there.
class selected_device {
 public:
  explicit selected_device(const device_engine& on);
  ~selected_device();
  selected_device(const selected_device&) = delete;

 private:
  const device_engine& on_;
  int before_ = 0;
};

// A place in a stream's order. At first it is nowhere, and waiting for it returns at once.
class device_event {
 public:
  explicit device_event(const device_engine& on) : on_(on) {}
  device_event(const device_event&) = delete;
  ~device_event();

  void make();  // before the first record, which else does it, on the selected device
  void record(void* stream);
  void wait() const;                 // until the stream has come by; the caller's lock released
  void hold_up(void* stream) const;  // what the stream is told from now on

 private:
  const device_engine& on_;
  void* event_ = nullptr;
  bool recorded_ = false;
};

// The function that is called when a device has no memory left, before the second try. To be set once.
void set_cache_emptier(void (*empty_caches)());

enum class memory_kind { on_device, pinned };

// Memory of a device, or of the host for the device to read; empty at first. If a device has none left, the
// caches of the array libraries are emptied before a second try, and out_of_device_memory is thrown if that
// fails too.
template <memory_kind kind>
class device_memory {
 public:
  device_memory() = default;
  device_memory(const device_engine& on, size_t bytes);
  device_memory(device_memory&& other) noexcept { swap(other); }
  device_memory& operator=(device_memory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~device_memory();

  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void swap(device_memory& other) noexcept {
    std::swap(release_, other.release_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  const char* (*release_)(void*) = nullptr;
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace gradstep
