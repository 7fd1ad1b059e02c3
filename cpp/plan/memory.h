// Memory that the arrays of a step share, where it would be written twice, or read after it has been written.
#pragma once

#include <optional>
#include <vector>

#include "arrays/overlap.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

// An array of a tensor: its parameter, its gradient, or a member of its state, by its number.
struct tensor_part {
  static constexpr int parameter = -3, gradient = -2, zeroed_gradient = -1;

  int tensor, member;
};

// Two arrays that share memory and may not, or one that repeats its own elements, which is then both.
// `subject` is the one that a user can most easily move.
struct shared_memory {
  tensor_part subject, other;
  bool alone;
  bool unsure;  // it could not be told within `search_limit` steps
};

// Checks the arrays of a step. A gradient that is only read may repeat its elements, share them with other
// such gradients, and be its own parameter, element for element. Every array that is written (parameters,
// states, averages, copies, gradients that are filled with zeros) shares with no other. The numbers of states
// may share with one another, as Prodigy's do.
class memory_check {
 public:
  // Checks the active tensors. Tensors record whether their arrays have moved; those that have not are not
  // checked again.
  std::optional<shared_memory> find(tensor_list& tensors, const std::vector<group_settings>& groups);

  // Checks these tensors, without their gradients.
  std::optional<shared_memory> find_written(tensor_list& tensors, const std::vector<int>& indices);

 private:
  bool must_look(const tensor_list& tensors, bool zeroes) const;

  std::vector<bool> zeroed_;  // the groups whose gradients were written
  extent_set written_;        // of the tensors that are known to share no memory, gradients aside
};

}  // namespace gradstep
