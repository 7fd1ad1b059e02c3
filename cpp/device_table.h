// Tables in a device's memory, and how they come there.
#pragma once

#include <cstring>
#include <optional>
#include <vector>

#include "device_engine.h"

namespace gradstep {

// Sends bytes to a device in a stream's order, from pinned memory that is used again once the stream has come
// by.
class device_sender {
 public:
  explicit device_sender(const device_engine& on) : on_(on) {}

  void start(void* stream);  // which the next sends go to
  void* stream() const { return stream_; }
  bool is_capturing() const { return capturing_; }
  const device_engine& engine() const { return on_; }

  void send(void* to, const void* from, size_t bytes);

 private:
  const device_engine& on_;
  void* stream_ = nullptr;
  bool capturing_ = false;
  device_memory<memory_kind::pinned> staging_;
  size_t used_ = 0;
};

// Arrays, one behind the other in a run of bytes.
class packed_arrays {
 public:
  void clear() { bytes_.clear(); }

  // Returns where the array begins.
  template <class T>
  size_t append(const T* items, size_t count) {
    const size_t first = (bytes_.size() + 15) / 16 * 16;
    bytes_.resize(first + count * sizeof(T));
    if (count) std::memcpy(bytes_.data() + first, items, count * sizeof(T));
    return first;
  }
  template <class T>
  size_t append(const std::vector<T>& items) {
    return append(items.data(), items.size());
  }

  const std::vector<char>& bytes() const { return bytes_; }

 private:
  std::vector<char> bytes_;
};

// A run of bytes on a device that is sent only where it differs from what is there. A step that is captured
// in a graph always sends it, from memory that is set aside for that, so that each replay does; others send
// it from then on, since nobody tells when a replay has.
class device_table {
 public:
  void hold(const std::vector<char>& bytes, device_sender& by);

  template <class T>
  const T* at(size_t place) const {
    return reinterpret_cast<const T*>(memory_.data() + place);
  }

 private:
  void make_room(size_t bytes, const device_engine& on);
  void hold_captured(const std::vector<char>& bytes, device_sender& by);

  std::vector<char> held_;                     // by the device, as far as is known
  std::optional<std::vector<char>> captured_;  // in a graph
  device_memory<memory_kind::on_device> memory_;
  device_memory<memory_kind::pinned> set_aside_;
  std::vector<device_memory<memory_kind::on_device>> outgrown_;  // a graph may still read it
};

}  // namespace gradstep
