// Facts about torch that the core is given: how to tell autograd about writes through pointers (a graph that
// has saved a tensor must notice), and whether its functions are overridden.
#pragma once

#include <pybind11/cast.h>

namespace gradstep {

// `tensor` is torch's class, `increment_version` its function in C, which takes a list of tensors or, in
// torch 2.4 and before, one of them; `modes` tells how many modes override functions now.
void meet_torch(pybind11::type tensor, pybind11::object increment_version, bool takes_list,
                pybind11::object modes);

bool is_tensor(pybind11::handle object);

// True if a method of a plain tensor may run Python code.
bool torch_functions_are_overridden();

// Increments the versions of the tensors among these arrays; runs no Python code.
void tell_autograd(const pybind11::list& written);

}  // namespace gradstep
