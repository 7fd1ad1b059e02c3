// The errors of a step, in the user's words. The core finds the faults; only this room names options.
#pragma once

#include <pybind11/cast.h>

#include <functional>
#include <string>
#include <vector>

#include "arrays/view.h"
#include "plan/memory.h"
#include "plan/settings.h"

namespace gradstep {

// A group's settings that its rule can't do, or groups that are not alike although their rule reduces over
// all of them.
void refuse_impossible(const std::vector<group_settings>& groups);

// Arrays of a step that share memory; member_text(tensor, member) names a member of a state.
[[noreturn]] void refuse_shared(const shared_memory& found,
                                const std::function<std::string(int, size_t)>& member_text);

// Gradients that are read-only and are to be filled with zeros.
void refuse_read_only_gradients(const tensor_list& tensors, const std::vector<group_settings>& groups);

// Options that would not let the rows rest that a sparse gradient leaves out, or that can't be done to one.
void refuse_beside_rows(const group_settings& settings, int index);

// A state in a format of two planes that is strided, or whose parameter is visited by rows or in another
// order.
void require_contiguous(const operand& visited, dtype format, const std::string& what);

// Rows of a sparse gradient that do not fit the parameter, although they have been checked.
[[noreturn]] void refuse_changed_rows(int index);
// A step that would forget updates that lazy rows have missed.
[[noreturn]] void refuse_lagging_rows(int index);

// Arrays of which one is written and that share an element, or a written one that repeats its own, named by
// their roles.
void refuse_overlap(const std::vector<array_view>& views, const std::vector<array_role>& roles,
                    const std::vector<bool>& written);

}  // namespace gradstep
