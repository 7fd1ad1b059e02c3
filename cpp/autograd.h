// torch's autograd, told of what is written through pointers: a graph that has saved a tensor must notice.
#pragma once

#include <pybind11/pybind11.h>

namespace gradstep {

// `tensor` is torch's class, `increment_version` its function in C, which takes a list of tensors or, in
// torch 2.4 and before, one of them.
void meet_autograd(pybind11::type tensor, pybind11::object increment_version, bool takes_list);

// Increments the versions of the tensors among these arrays; runs no code of Python.
void tell_autograd(const pybind11::list& written);

}  // namespace gradstep
