#include "python/device_bandwidth.h"

#include <iterator>
#include <string>

#include "python/bandwidth.h"
#include "python/read_array.h"

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr int64_t pack_bytes = 16;

bool is_packs(const array_view& view, int64_t bytes) {
  return is_contiguous(view) && reinterpret_cast<uintptr_t>(view.data) % pack_bytes == 0 && bytes > 0 &&
         bytes % pack_bytes == 0;
}

}  // namespace

device_read_modify_write::device_read_modify_write(const py::capsule& engine, int device,
                                                   const py::list& written, const py::object& read)
    : engine_(engine_of(engine), device) {
  if (written.size() != std::size(arrays_.written))
    throw py::value_error("three arrays are written, and " + std::to_string(written.size()) + " were given");
  for (size_t i = 0; i < written.size(); ++i) arrays_.written[i] = place(written[i]);
  arrays_.read = place(read);
}

char* device_read_modify_write::place(py::handle array) {
  const array_role role = {"array", int(kept_alive_.size() / 2), engine_.where()};
  py::object& owner = kept_alive_.emplace_back();
  const array_view view = read_array(array, role, owner);
  kept_alive_.push_back(py::reinterpret_borrow<py::object>(array));
  const int64_t bytes = view.size() * format_of(view.type).bytes;
  if (!is_packs(view, bytes))
    throw py::value_error(
        role.text() +
        " must be contiguous and some packs of 16 bytes, at a multiple of 16: pass such a copy");
  if (arrays_.packs && arrays_.packs != bytes / pack_bytes)
    throw py::value_error(role.text() + " has another size: pass arrays of one size");
  arrays_.packs = bytes / pack_bytes;
  return view.data;
}

void device_read_modify_write::run() const {
  const selected_device here(engine_);
  engine_.check(engine_->rewrite(arrays_, stream_of(engine_, kept_alive_.back())));
}

}  // namespace gradstep
