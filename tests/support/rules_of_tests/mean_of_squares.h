// The states of these rules: v = beta v + (1 - beta) mean(g^2), for each part of a tensor that has a number.
#pragma once

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

struct mean_of_squares {
  double beta;

  template <class V>
  GS_HD factors<V> reduced(V g) const {
    return {g, g};
  }
  GS_HD double renew(int, double before, double sum, double count) const {
    return beta * before + (1 - beta) * (sum / count);
  }
};

}  // namespace gradstep::GS_TARGET
