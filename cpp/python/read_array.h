// Arrays of Python, read: from their owners to views.
#pragma once

#include <pybind11/cast.h>

#include <string>

#include "arrays/view.h"

namespace gradstep {

// The shape as the array's owner sees it.
pybind11::tuple shape_of(const array_view& array);

void refuse_elsewhere(const array_view& array, const array_role& role);

// Raise for an array, named by `what`: one that can't be written, one that is complex where the parameter is
// real or real where it is complex, and one that has not the parameter's shape either.
[[noreturn]] void refuse_read_only(const std::string& what);
void require_same_kind(const array_view& given, const array_view& parameter, const std::string& what);
void require_shape(const array_view& given, const array_view& parameter, const std::string& what,
                   const char* owner = "the parameter has");

// A number to be written. Raises for what is no array of one float32 or float64 number; `what` names it.
scalar_ref read_scalar(const array_view& number, const std::string& what);

// False for what is neither a strided torch tensor nor a NumPy array of a dtype that NumPy knows; wherever it
// lies.
bool read_directly(pybind11::handle array, array_view& view);
// Reads it directly, or else by what Python says of it; false where that is refused.
bool try_to_read(pybind11::handle array, const array_role& role, array_view& view);

// True if a tensor or an array of NumPy still lies as it was read, and for others, which their owners keep.
bool lies_as_read(pybind11::handle array, const array_view& view);

// Reads a torch tensor through the DLPack C exchange API, a NumPy array through its own structure, and
// anything else through gradstep.interop.arrays.describe, which raises for what can't be used and returns an
// owner that keeps the memory alive. `read_array` raises for one that lies elsewhere than its role says.
array_view read_anywhere(pybind11::handle array, const array_role& role, pybind11::object& owner);
array_view read_array(pybind11::handle array, const array_role& role, pybind11::object& owner);
array_view read_description(pybind11::handle array, const array_role& role, pybind11::object& owner);

// Where the arrays lie, but for those that can't be read (a step that needs one says why); raises if that is
// not one and the same place. The host for none.
device common_device(const pybind11::list& parameters);

// The stream that the array's library works on now, there; null for the host's memory.
void* current_stream(pybind11::handle array, const device& where);

// Raises for a tensor that DLPack gives although its elements are not to be had as they lie: a lazily negated
// view, and one whose storage has become too small for it. Asking costs more than reading, so it is asked of
// arrays that are new or have moved, not of those that a step has seen before. `view` is the tensor as it was
// read.
void inspect_tensor(pybind11::handle array, const array_view& view, const array_role& role);

}  // namespace gradstep
