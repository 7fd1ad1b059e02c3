// Facts about the types of arrays, asked for once.
#pragma once

#include <pybind11/cast.h>

#include "python/dlpack.h"

namespace gradstep {

struct known_type {
  PyTypeObject* type;
  dlpack::exchange_api* api;  // null where it offers none
  bool plain;                 // its methods run no code of Python
  bool by_shim;               // torch's own functions tell where its tensors lie
};

// Of the types seen last; types are few and live as long as their library.
const known_type& known_type_of(PyTypeObject* type);
dlpack::exchange_api* exchange_of(PyTypeObject* type);

// True for a tensor of a torch without an exchange API: it is moved like any other, but only
// gradstep.interop.arrays can read it.
bool is_described_tensor(pybind11::handle array);

}  // namespace gradstep
