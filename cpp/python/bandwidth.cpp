#include "python/bandwidth.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "host/simd/dispatch.h"
#include "host/threads.h"
#include "numeric/prefetch.h"
#include "python/read_array.h"
#include "step/caller_lock.h"

namespace py = pybind11;

namespace gradstep {

namespace {

using byte = unsigned char;

constexpr int64_t largest_piece = 1 << 19;
constexpr int64_t serial_bytes = 1 << 20;  // below this, waking a thread costs more than it saves

// The bytes that each array gets in turn. Of the orders tried, from one array after the other to one element
// of each, this is the fastest on DRAM; wider vectors than the baseline's add nothing.
constexpr int64_t turn = 4096;

// Calls visit(i) for each byte, and asks for what lies ahead as a step does.
template <class Visit>
void for_each_byte(const byte* data, int64_t bytes, const Visit& visit) {
  const uintptr_t distance = *active_target().prefetch_distance;
  int64_t i = 0;
  for (; i + line_bytes <= bytes; i += line_bytes) {
    prefetch<line_bytes>(data, i, distance);
    for (int within = 0; within < line_bytes; ++within) visit(i + within);
  }
  for (; i < bytes; ++i) visit(i);
}

void rewrite(byte* data, int64_t bytes, byte mask) {
  for_each_byte(data, bytes, [=](int64_t i) { data[i] ^= mask; });
}

byte fold(const byte* data, int64_t bytes) {
  byte seen = 0;
  for_each_byte(data, bytes, [&](int64_t i) { seen ^= data[i]; });
  return seen;
}

}  // namespace

bool is_contiguous(const array_view& view) {
  int64_t expected = format_of(view.type).bytes;
  for (int d = view.ndim; d-- > 0; expected *= view.dimensions[d].size)
    if (view.dimensions[d].size != 1 && view.dimensions[d].stride != expected) return false;
  return true;
}

// One run over the pieces.
struct read_modify_write::sweep {
  const read_modify_write& of;
  byte nothing = 0;  // a variable, so that the compiler can't leave the loop out
  std::atomic<size_t> next = 0;
  std::atomic<byte> seen = 0;

  static void take_pieces(void* data) {
    sweep& work = *static_cast<sweep*>(data);
    const std::vector<piece>& pieces = work.of.pieces_;
    for (size_t i; (i = work.next.fetch_add(1, std::memory_order_relaxed)) < pieces.size();)
      work.seen.fetch_xor(work.of.visit(pieces[i], work.nothing), std::memory_order_relaxed);
  }
};

read_modify_write::read_modify_write(const py::list& tensors) {
  for (const py::handle lists : tensors) add(py::cast<py::tuple>(lists));
}

void read_modify_write::add(const py::tuple& lists) {
  tensor_arrays arrays;
  arrays.written = addresses(py::list(lists[0]), true, arrays.bytes);
  arrays.read = addresses(py::list(lists[1]), false, arrays.bytes);
  for (int64_t first = 0; first < arrays.bytes; first += largest_piece)
    pieces_.push_back({tensors_.size(), first, std::min(arrays.bytes, first + largest_piece)});
  bytes_ += arrays.bytes * int64_t(arrays.written.size() + arrays.read.size());
  tensors_.push_back(std::move(arrays));
}

std::vector<byte*> read_modify_write::addresses(const py::list& arrays, bool written, int64_t& bytes) {
  std::vector<byte*> found;
  const array_role role = {"an array of tensor", int(tensors_.size())};
  const std::string name = std::string(role.what) + " " + std::to_string(role.index);
  for (const py::handle array : arrays) {
    py::object& owner = kept_alive_.emplace_back();
    const array_view view = read_array(array, role, owner);
    kept_alive_.push_back(py::reinterpret_borrow<py::object>(array));
    const int64_t size = view.size() * format_of(view.type).bytes;
    if (bytes && size != bytes) throw py::value_error(name + " has another size: pass arrays of one size");
    if (!is_contiguous(view)) throw py::value_error(name + " is not contiguous: pass a copy of it");
    if (written && !view.writable) throw py::value_error(name + " is read-only: pass a copy of it");
    bytes = size;
    found.push_back(reinterpret_cast<byte*>(view.data));
  }
  return found;
}

byte read_modify_write::visit(const piece& part, byte mask) const {
  const tensor_arrays& arrays = tensors_[part.tensor];
  byte seen = 0;
  for (int64_t first = part.first; first < part.last; first += turn) {
    const int64_t bytes = std::min(turn, part.last - first);
    for (byte* data : arrays.written) rewrite(data + first, bytes, mask);
    for (const byte* data : arrays.read) seen ^= fold(data + first, bytes);
  }
  return seen;
}

void read_modify_write::run(int threads) const {
  sweep work{*this};
  unlocked([&] { run_parallel(bytes_ < serial_bytes ? 1 : threads, sweep::take_pieces, &work); });
}

}  // namespace gradstep
