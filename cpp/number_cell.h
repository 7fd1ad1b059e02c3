// A number in an array of the user: of a state, where it mirrors ours and is what counts, so that a saved
// state is the whole state; or one that others write for us to read.
#pragma once

#include <optional>
#include <string>

#include "device.h"
#include "storage/dtype.h"

namespace gradstep {

struct array_view;

struct number_cell {
  char* data;  // null for none
  dtype type;

  bool operator==(const number_cell&) const = default;

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

// Of an array of one float32 or float64 number; nothing for any other.
std::optional<number_cell> cell_of(const array_view& number);

// The same, to be written. Raises for any other; `what` names it.
number_cell read_cell(const array_view& number, const std::string& what);

}  // namespace gradstep
