// Tables in a device's memory, and sending them.
#pragma once

#include <cstring>
#include <optional>
#include <vector>

#include "device/engine.h"

namespace gradstep {

// Orders a plan's work, even if it is given to several streams, and sends bytes to a device from pinned
// memory that is reused once the stream has copied it.
class device_sender {
 public:
  explicit device_sender(const device_engine& on) : on_(on) {}

  void* stream() const { return stream_; }
  bool is_capturing() const { return capturing_; }
  const device_engine& engine() const { return on_; }

  void send(void* to, const void* from, size_t bytes);
  void wait() const { done_.wait(); }  // until all turns are done

  // In a turn: replaces memory by `bytes` bytes, and frees the old memory once nothing uses it any more.
  template <memory_kind kind>
  void replace(device_memory<kind>& memory, size_t bytes) const {
    device_memory<kind> larger(on_, bytes);
    if (memory.data()) on_.wait(stream_);
    memory = std::move(larger);
  }

 private:
  friend class device_turn;
  void start(void* stream);
  void finish();
  size_t side_bytes() const { return staging_.size() / 32 * 16; }
  void change_sides(size_t bytes);

  const device_engine& on_;
  void* stream_ = nullptr;
  bool capturing_ = false;
  device_event done_{on_};                      // the last turn's work
  void* done_on_ = nullptr;                     // the stream that it was given to
  device_memory<memory_kind::pinned> staging_;  // two sides, used by turns
  device_event left_[2] = {device_event(on_), device_event(on_)};
  int side_ = 0;
  size_t used_ = 0;  // of the side
};

// Work that is given to a stream. It begins after the work of the previous turn, which may have used another
// stream. Captured turns are ordered by the code that captures and replays them.
class device_turn {
 public:
  device_turn(device_sender& sender, void* stream) : sender_(sender) { sender.start(stream); }
  ~device_turn() { sender_.finish(); }
  device_turn(const device_turn&) = delete;

 private:
  device_sender& sender_;
};

// Arrays packed one after another into a run of bytes.
class packed_arrays {
 public:
  void clear() { bytes_.clear(); }

  // Returns the offset of the array.
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

// A run of bytes on a device that is sent only where it differs from the previous contents. A step that is
// captured in a graph always sends it, from memory reserved for that graph, so that each replay sends it too.
// From then on every step sends it, because a replay does not notify the host.
class device_table {
 public:
  void hold(const std::vector<char>& bytes, device_sender& by);

  template <class T>
  const T* at(size_t place) const {
    return reinterpret_cast<const T*>(memory_.data() + place);
  }

 private:
  void make_room(size_t bytes, const device_sender& by);
  void hold_captured(const std::vector<char>& bytes, device_sender& by);

  std::vector<char> held_;                     // by the device, as far as is known
  std::optional<std::vector<char>> captured_;  // in a graph
  device_memory<memory_kind::on_device> memory_;
  device_memory<memory_kind::pinned> set_aside_;
  std::vector<device_memory<memory_kind::on_device>> outgrown_;  // a graph may still read it
};

}  // namespace gradstep
