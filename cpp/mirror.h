// The numbers of a tensor's state: 0-d arrays of the user that mirror ours. The array is what counts, so that
// a saved state is the whole state.
#pragma once

#include <string>

#include "clock.h"
#include "device.h"
#include "storage/dtype.h"

namespace gradstep {

struct array_view;

struct mirror {
  char* data;
  dtype type;

  GS_ANYWHERE double get() const { return type == dtype::f64 ? read<double>() : double(read<float>()); }
  GS_ANYWHERE void set(double value) const {
    if (type == dtype::f64)
      write(value);
    else
      write(float(value));
  }

 private:
  template <class T>
  GS_ANYWHERE T read() const {
    T value;
    __builtin_memcpy(&value, data, sizeof value);  // it may be unaligned
    return value;
  }
  template <class T>
  GS_ANYWHERE void write(T value) const {
    __builtin_memcpy(data, &value, sizeof value);
  }
};

// Raises for an array that is not one float32 or float64 number to be written; `what` names it.
mirror read_mirror(const array_view& number, const std::string& what);

// A tensor's own time, as its state tells it.
struct tensor_time {
  const mirror* numbers;  // t, then what the rule keeps
  int count;
  mirror average_product;  // of the decays so far; no data where the average is not corrected

  // The next update's, from the t that we know ourselves: a float32 mirror is exact to 2^24 and only shows
  // ours beyond.
  GS_ANYWHERE clock next(int64_t t, bool fresh) const {
    clock c = {};
    c.t = t;
    if (count > 0 && numbers[0].get() != (numbers[0].type == dtype::f32 ? double(float(t)) : double(t)))
      c.t = int64_t(numbers[0].get());
    ++c.t;
    c.fresh = fresh;
    if (average_product.data) c.average_product = average_product.get();
    for (int k = 1; k < count; ++k) c.kept[k - 1] = numbers[k].get();
    return c;
  }

  // After the update.
  GS_ANYWHERE void set(const clock& c) const {
    if (count > 0) numbers[0].set(double(c.t));
    for (int k = 1; k < count; ++k) numbers[k].set(c.kept[k - 1]);
    if (average_product.data) average_product.set(c.average_product);
  }
};

}  // namespace gradstep
