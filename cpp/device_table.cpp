#include "device_table.h"

#include <algorithm>
#include <stdexcept>

namespace gradstep {

namespace {

constexpr size_t staging_bytes = size_t(1) << 20;  // of some hundred steps, so that waiting for them is rare

}  // namespace

void device_sender::start(void* stream) {
  stream_ = stream;
  capturing_ = on_.is_capturing(stream);
}

// Steps on several streams are ordered by the parameters that they share, so the wait for one is a wait for
// all.
void device_sender::send(void* to, const void* from, size_t bytes) {
  if (used_ + bytes > staging_.size()) {
    if (used_ > 0) on_.wait(stream_);
    used_ = 0;
    if (bytes > staging_.size())
      staging_ = device_memory<memory_kind::pinned>(on_, std::max(2 * bytes, staging_bytes));
  }
  char* const staged = staging_.data() + used_;
  used_ += (bytes + 15) / 16 * 16;
  std::memcpy(staged, from, bytes);
  on_.check(on_->send(to, staged, bytes, stream_));
}

void device_table::hold(const std::vector<char>& bytes, device_sender& by) {
  if (by.is_capturing()) return hold_captured(bytes, by);
  if (bytes == held_ && !captured_) return;
  make_room(bytes.size(), by.engine());
  held_.clear();  // not known until it has been sent
  if (!bytes.empty()) by.send(memory_.data(), bytes.data(), bytes.size());
  held_ = bytes;
}

void device_table::hold_captured(const std::vector<char>& bytes, device_sender& by) {
  if (captured_ && bytes != *captured_)
    throw std::runtime_error(
        "a step of this optimizer is in a CUDA graph already, with other gradients or settings: capture all"
        " its steps in one graph, or give each graph an optimizer of its own");
  if (bytes.size() > set_aside_.size())
    throw std::runtime_error(
        "the step that is to be captured in a CUDA graph has more schedules or stranger layouts than those "
        "before it, and memory for them can't be had now: make a step like it before the capture");
  captured_ = held_ = bytes;
  if (bytes.empty()) return;
  std::memcpy(set_aside_.data(), bytes.data(), bytes.size());
  by.engine().check(by.engine()->send(memory_.data(), set_aside_.data(), bytes.size(), by.stream()));
}

void device_table::make_room(size_t bytes, const device_engine& on) {
  if (bytes <= memory_.size()) return;
  const size_t room = std::max(bytes, 2 * memory_.size());
  device_memory<memory_kind::on_device> larger(on, room);
  if (!captured_) set_aside_ = device_memory<memory_kind::pinned>(on, room);
  if (captured_) outgrown_.push_back(std::move(memory_));
  memory_ = std::move(larger);
}

}  // namespace gradstep
