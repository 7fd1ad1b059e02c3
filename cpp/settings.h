// What the door asks of a step: numbers, checked there.
#pragma once

#include <limits>
#include <vector>

namespace gradstep {

constexpr double no_limit = std::numeric_limits<double>::infinity();

enum class decay_kind {
  coupled,    // decay * p is added to the gradient
  decoupled,  // p shrinks by rate * decay
  full,       // by rate / full_rate * decay
  corrected,  // by rate^2 / full_rate * decay
};

// What surrounds the rule in a group's steps.
struct surroundings {
  decay_kind decay = decay_kind::coupled;
  double full_lr = 0;
  bool cautious = false;  // p shrinks only where the update has its sign
  bool maximize = false;
  double clip_norm = no_limit;
  bool clip_alone = false;  // by this group's norm, not by that of all groups
  double clip_value = no_limit;
  bool averages = false, corrects_average = false;
  double average_decay = 0;
  bool copies = false;
  bool zero_gradient = false;
};

// A group's settings of the next step.
struct group_settings {
  int rule = 0;  // index in the target's list
  std::vector<double> hypers;
  double lr = 0;
  double weight_decay = 0;
  surroundings around;
};

struct step_settings {
  int threads = 1;
  double unscale = 1;           // multiplies every gradient
  bool skip = false;            // make no update
  bool skip_nonfinite = false;  // make none if a gradient is infinite or NaN
  bool measure = false;         // what the step did
  double known_norm = -1;       // to clip by; below 0 the gradients' own is measured first
};

// What the last step did, if it measured; norms are over all tensors.
struct step_report {
  bool measured = false, skipped = false;
  double gradient_norm = 0, update_norm = 0, parameter_norm = 0, nonfinite = 0;
};

}  // namespace gradstep
