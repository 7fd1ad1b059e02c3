// The time of one tensor's update, as a rule sees it.
#pragma once

#include <cstdint>

namespace gradstep {

constexpr int kept_limit = 4;

struct clock {
  int64_t t;                // this update, counted from 1
  double lr;                // the group's learning rate
  double rate;              // what multiplies the direction: starts as lr, a rule may change it
  double keep;              // what multiplies p before: starts as 1 - lr * decay if that is decoupled, else 1
  bool fresh;               // the states were made for this update
  double average_product;   // of the decays of the parameter's average
  double kept[kept_limit];  // numbers that a rule keeps per tensor from step to step
};

}  // namespace gradstep
