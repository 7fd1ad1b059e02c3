#include "python/sighting.h"

#include <algorithm>

#include "python/foreign_code.h"
#include "python/known_types.h"
#include "python/numpy_array.h"
#include "python/read_array.h"
#include "python/tensor_shim.h"

namespace py = pybind11;

namespace gradstep {

namespace {

bool can_be_seen(py::handle array, const void* interface) { return interface || is_numpy(array); }

}  // namespace

struct sighting::raw {
  const void* data;
  PyObject* number_type;
  uint64_t kind;
  int ndim;
  const int64_t *sizes, *strides;
  int64_t storage_bytes = 0, storage_offset = 0;
};

bool sighting::look(py::handle array, raw& seen) const {
  if (by_shim_) {
    tensor_place place;
    if (!tensor_shim::look(array, place)) return false;
    seen = {place.data,  nullptr,       uint64_t(place.dtype), int(place.ndim),
            place.sizes, place.strides, place.storage_bytes,   place.storage_offset};
    return true;
  }
  if (!interface_) {
    const numpy_fields fields = fields_of(array);
    seen = {fields.data, fields.dtype, uint64_t(fields.flags), fields.ndim, fields.sizes, fields.strides};
    return true;
  }
  dlpack::tensor tensor;
  if (static_cast<const dlpack::exchange_api*>(interface_)->tensor_from_object(array.ptr(), &tensor) != 0) {
    clear_refusal();
    return false;
  }
  seen = {static_cast<const char*>(tensor.data) + tensor.byte_offset,
          nullptr,
          uint64_t(uint32_t(tensor.device_id)) << 32 | uint64_t(tensor.device_type & 0xff) << 24 |
              uint64_t(tensor.type_lanes & 0xff) << 16 | uint64_t(tensor.type_code) << 8 | tensor.type_bits,
          tensor.ndim,
          tensor.shape,
          tensor.strides};
  return true;
}

void sighting::remember(py::handle array, const array_view& read) {
  raw seen;
  forget();
  if (is_described_tensor(array)) described_ = std::make_shared<array_view>(read);
  const known_type& type = known_type_of(Py_TYPE(array.ptr()));
  interface_ = type.api;
  by_shim_ = type.by_shim;
  if (!can_be_seen(array, interface_) || !lies_as_read(array, read) || !look(array, seen)) return;
  number_type_ = py::reinterpret_borrow<py::object>(seen.number_type);
  data_ = seen.data;
  kind_ = seen.kind;
  ndim_ = seen.ndim;
  storage_bytes_ = seen.storage_bytes;
  storage_offset_ = seen.storage_offset;
  if (ndim_ > near_limit) far_.resize(2 * size_t(ndim_));
  std::copy_n(seen.sizes, ndim_, dimensions());
  std::copy_n(seen.strides, ndim_, dimensions() + ndim_);
  type_ = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(Py_TYPE(array.ptr())));
}

bool sighting::was_moved(py::handle array) const {
  if (described_) return !lies_as_read(array, *described_);
  return can_be_seen(array, exchange_of(Py_TYPE(array.ptr()))) && !is_unchanged(array);
}

bool sighting::was_read_as(const array_view& now) const {
  return described_ && described_->data == now.data && described_->type == now.type &&
         described_->writable == now.writable && described_->same_place_as(now);
}

bool sighting::is_unchanged(py::handle array) const {
  raw seen;
  if (type_.ptr() != reinterpret_cast<PyObject*>(Py_TYPE(array.ptr())) || !look(array, seen)) return false;
  const int64_t* const known = dimensions();
  bool same = seen.data == data_ && seen.kind == kind_ && seen.ndim == ndim_ &&
              seen.number_type == number_type_.ptr() && seen.storage_bytes == storage_bytes_ &&
              seen.storage_offset == storage_offset_;
  for (int d = 0; same && d < ndim_; ++d)
    same = seen.sizes[d] == known[d] && seen.strides[d] == known[ndim_ + d];
  return same;
}

}  // namespace gradstep
