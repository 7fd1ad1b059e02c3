#include "device/upload.h"

#include <algorithm>
#include <stdexcept>

namespace gradstep {

namespace {

constexpr size_t staging_bytes = size_t(1) << 20;  // of some hundred steps, so that waiting for them is rare

}  // namespace

void device_sender::start(void* stream) {
  capturing_ = on_.is_capturing(stream);
  if (!capturing_) {
    done_.make();
    if (stream != done_on_) done_.hold_up(stream);
  }
  stream_ = stream;
}

// An error is one of the device, and the next call will say so: what is here may be left by an exception.
void device_sender::finish() {
  if (capturing_) return;
  try {
    done_.record(stream_);
    done_on_ = stream_;
  } catch (const std::runtime_error&) {
  }
}

void device_sender::send(void* to, const void* from, size_t bytes) {
  if (used_ + bytes > side_bytes()) change_sides(bytes);
  char* const staged = staging_.data() + size_t(side_) * side_bytes() + used_;
  used_ += (bytes + 15) / 16 * 16;
  std::memcpy(staged, from, bytes);
  on_.check(on_->send(to, staged, bytes, stream_));
}

void device_sender::change_sides(size_t bytes) {
  if (bytes > side_bytes()) {
    replace(staging_, std::max(4 * bytes, staging_bytes));
  } else {
    left_[side_].record(stream_);
    side_ = 1 - side_;
    left_[side_].wait();
  }
  used_ = 0;
}

void device_table::hold(const std::vector<char>& bytes, device_sender& by) {
  if (by.is_capturing()) return hold_captured(bytes, by);
  if (bytes == held_ && !captured_) return;
  make_room(bytes.size(), by);
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

void device_table::make_room(size_t bytes, const device_sender& by) {
  if (bytes <= memory_.size()) return;
  const size_t room = std::max(bytes, 2 * memory_.size());
  device_memory<memory_kind::on_device> larger(by.engine(), room);
  if (captured_) {
    outgrown_.push_back(std::move(memory_));
  } else {
    device_memory<memory_kind::pinned> aside(by.engine(), room);
    if (memory_.data()) by.engine().wait(by.stream());
    set_aside_ = std::move(aside);
  }
  memory_ = std::move(larger);
}

}  // namespace gradstep
