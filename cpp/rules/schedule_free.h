// Schedule-Free SGD and AdamW: Defazio et al. 2024, arXiv:2405.15682, Algorithm 1. The parameter holds y, at
// which gradients are taken; the state holds z, which moves; the average x of z, which is evaluated, is never
// stored: x = (y - (1 - momentum) z) / momentum. Decay acts at y, in both moves.
#ifndef GS_RULES_SCHEDULE_FREE_H
#define GS_RULES_SCHEDULE_FREE_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

// The shared part of both rules: the weight c of the new z in the average, and the moves of y and z.
template <class T>
struct averaged_move {
  T rate, decay;  // decay times the rate
  T c, ahead;
  bool first;

  // Keeps the sum of the weights so far and the largest rate; a weight of 0 at a sum of 0 is no weight.
  GS_HD static averaged_move at(double momentum, double r, double weight_lr_power, step_context& c) {
    double &sum = c.kept[0], &largest_lr = c.kept[1];
    largest_lr = maximum(largest_lr, c.lr);
    const double weight = pow(double(c.t), r) * pow(largest_lr, weight_lr_power);
    sum += weight;
    const double share = sum > 0 ? weight / sum : 0;
    const double decay = 1 - c.decay_factor;  // rate times decay, where that is decoupled
    c.decay_factor = 1;
    return {T(c.lr), T(decay), T(share), T(momentum * (1 - share) - 1), c.fresh};
  }

  template <class V>
  GS_HD void operator()(V& y, V direction, V& z) const {
    if (first) z = y;
    const V step = fma(V(rate), direction, V(decay) * y);
    y = fma(V(ahead), step, lerp(y, z, c));
    z = z - step;
  }
};

template <class T>
struct schedule_free_sgd {
  struct hyper {
    double momentum, r, weight_lr_power;
  };
  static constexpr const char* hyper_names[] = {"momentum", "r", "weight_lr_power"};
  static constexpr int states = 1;
  static constexpr bool writes_parameter = true;

  averaged_move<T> move;

  GS_HD static schedule_free_sgd at(const hyper& h, step_context& c) {
    return {averaged_move<T>::at(h.momentum, h.r, h.weight_lr_power, c)};
  }

  template <class V>
  GS_HD void operator()(V& y, V g, V& z) const {
    move(y, g, z);
  }
};

template <class T>
struct schedule_free_adamw {
  struct hyper {
    double beta1, beta2, eps, r, weight_lr_power;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps", "r", "weight_lr_power"};
  static constexpr int states = 2;
  static constexpr bool writes_parameter = true;

  averaged_move<T> move;
  T b2, w2, root_correction, eps;

  GS_HD static schedule_free_adamw at(const hyper& h, step_context& c) {
    const double root = 1 / sqrt(one_minus_power(h.beta2, c.t));
    return {averaged_move<T>::at(h.beta1, h.r, h.weight_lr_power, c), T(h.beta2), T(1 - h.beta2), T(root),
            above_zero<T>(h.eps)};
  }

  template <class V>
  GS_HD void operator()(V& y, V g, V& z, V& v) const {
    v = mean_square(v, g, b2, w2);
    move(y, g / fma(sqrt(v), V(root_correction), V(eps)), z);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(schedule_free_sgd)
GS_RULE(schedule_free_adamw)
#endif
