#include "device/engine.h"

#include <stdexcept>
#include <string_view>

#include "step/caller_lock.h"

namespace gradstep {

device_engine::device_engine(const engine& of, int device) : engine_(&of), device_(device) {
  if (engine_->version != engine_version)
    throw std::runtime_error("the engine '" + std::string(engine_->name) +
                             "' was built with another version of gradstep: build and install them together");
  if (device < 0 || device >= engine_->device_count)
    throw std::invalid_argument("the engine '" + std::string(engine_->name) + "' finds " +
                                std::to_string(engine_->device_count) +
                                " devices, and none with the number " + std::to_string(device));
}

bool device_engine::is_capturing(void* stream) const {
  bool answer = false;
  check(engine_->is_capturing(&answer, stream));
  return answer;
}

void device_engine::wait(void* stream) const {
  const char* error = nullptr;
  unlocked([&] { error = engine_->wait(stream); });
  check(error);
}

void device_engine::fetch(void* to, const void* from, size_t bytes, void* stream) const {
  const char* error = nullptr;
  unlocked([&] { error = engine_->fetch(to, from, bytes, stream); });
  check(error);
}

bool device_engine::is_out_of_memory(const char* error) const {
  return error && std::string_view(error) == engine_->out_of_memory;
}

void device_engine::fail(const char* error) const {
  throw std::runtime_error("the engine '" + std::string(engine_->name) + "' failed on " + where().text() +
                           ": " + error);
}

selected_device::selected_device(const device_engine& on) : on_(on) {
  on_.check(on_->select(on_.where().id, &before_));
}

selected_device::~selected_device() {
  int ours;
  on_->select(before_, &ours);
}

device_event::~device_event() {
  if (event_) on_->drop_event(event_);
}

void device_event::make() {
  if (!event_) on_.check(on_->make_event(&event_));
}

void device_event::record(void* stream) {
  make();
  on_.check(on_->record(event_, stream));
  recorded_ = true;
}

void device_event::wait() const {
  if (!recorded_) return;
  const char* error = nullptr;
  unlocked([&] { error = on_->wait_for_event(event_); });
  on_.check(error);
}

void device_event::hold_up(void* stream) const {
  if (recorded_) on_.check(on_->hold_up(stream, event_));
}

namespace {

void (*cache_emptier)() = [] {};

[[noreturn]] void refuse_without_memory(const std::string& place, size_t bytes) {
  throw out_of_device_memory(
      "there is no memory left " + place + " for the " + std::to_string(bytes) +
      " bytes that a step must keep there beside the states: free some and step again; "
      "nothing has been written or counted");
}

}  // namespace

void set_cache_emptier(void (*empty_caches)()) { cache_emptier = empty_caches; }

template <memory_kind kind>
device_memory<kind>::device_memory(const device_engine& on, size_t bytes)
    : release_(kind == memory_kind::pinned ? on->release_pinned : on->release), size_(bytes) {
  const auto allocate = kind == memory_kind::pinned ? on->allocate_pinned : on->allocate;
  constexpr bool on_device = kind == memory_kind::on_device;
  void* memory = nullptr;
  const char* error = allocate(&memory, bytes);
  if (on_device && on.is_out_of_memory(error)) {
    cache_emptier();
    error = allocate(&memory, bytes);
  }
  if (on.is_out_of_memory(error))
    refuse_without_memory(
        on_device ? "on " + on.where().text() : "in pages of the host that a device can read", bytes);
  on.check(error);
  data_ = static_cast<char*>(memory);
}

template <memory_kind kind>
device_memory<kind>::~device_memory() {
  if (data_) release_(data_);  // a refusal can't be helped here: the process may be ending
}

template class device_memory<memory_kind::on_device>;
template class device_memory<memory_kind::pinned>;

}  // namespace gradstep
