// The settings of a step. They come from the Python layer, which checks the numbers.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "host/schedule.h"
#include "host/simd/target.h"
#include "step/group_numbers.h"
#include "step/options.h"
#include "step/scalar_ref.h"

namespace gradstep {

// The meaning of a sparse gradient for the rows that it leaves out.
enum class row_policy {
  refuse,
  rest,  // nothing: they stay as they are
  lag,   // a gradient of zero, made up for when they come again
};

// The source of a group's number on a device: a schedule, evaluated at the device's count of updates, or
// device memory that others write.
struct number_source {
  int number;  // its place among group_numbers
  std::variant<scalar_ref, schedule> from;
  double factor;  // what multiplies it

  bool operator==(const number_source&) const = default;
};

// The settings of a group for the next step.
struct group_settings {
  int rule = 0;  // index in the target's list
  std::vector<double> hypers;
  double lr = 0;
  double weight_decay = 0;
  step_options options;
  row_policy rows = row_policy::refuse;
  std::shared_ptr<const std::vector<number_source>> shared_sources = {};

  const std::vector<number_source>& sources() const {
    static const std::vector<number_source> none;
    return shared_sources ? *shared_sources : none;
  }
};

struct step_settings {
  int threads = 1;
  double unscale = 1;           // multiplies every gradient
  bool skip = false;            // make no update
  bool skip_nonfinite = false;  // make none if a gradient is infinite or NaN
  bool stats = false;           // what the step did
  double known_norm = -1;       // to clip by; below 0 the gradients' own is formed first
  scalar_ref grad_scale = {};   // on a device: what divides every gradient,
  scalar_ref found_inf = {};    // and what is not 0 where no update is to be made
  bool tells_states = false;    // autograd too, for they are the caller's own
  bool ahead = false;           // of one tensor, ahead of the step that counts as the update of all,
  bool joins = false;           // which reports them as one
};

// The place of the group's number of this name, which belongs to its rule or to every rule; below 0 if the
// rule has none.
int place_of_number(const rule_entry& rule, const std::string& name);

}  // namespace gradstep
