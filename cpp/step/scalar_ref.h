// A number in an array of the user. A state's number is the only copy of it, so that a saved state is the
// whole state. Other numbers are written by others for us to read.
#pragma once

#include "formats/list.h"
#include "numeric/portable.h"

namespace gradstep {

struct scalar_ref {
  char* data;  // null for none
  dtype type;

  bool operator==(const scalar_ref&) const = default;

  GS_HD double get() const { return type == dtype::f64 ? read<double>() : double(read<float>()); }
  GS_HD void set(double value) const {
    if (type == dtype::f64)
      write(value);
    else
      write(float(value));
  }

 private:
  template <class T>
  GS_HD T read() const {
    T value;
    __builtin_memcpy(&value, data, sizeof value);  // it may be unaligned
    return value;
  }
  template <class T>
  GS_HD void write(T value) const {
    __builtin_memcpy(data, &value, sizeof value);
  }
};

}  // namespace gradstep
