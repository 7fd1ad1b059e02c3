// RMSprop: Hinton 2012, Neural Networks for Machine Learning, lecture 6e; centered: Graves 2013,
// arXiv:1308.0850, equations 38 to 45. As in torch, eps is outside the root, nothing corrects the bias, and
// the rate is outside the momentum buffer.
#ifndef GS_RULES_RMSPROP_H
#define GS_RULES_RMSPROP_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct rmsprop {
  struct hyper {
    double alpha, eps, momentum;
  };
  static constexpr const char* hyper_names[] = {"alpha", "eps", "momentum"};
  static constexpr int states = 1;

  T alpha, w, eps, momentum;  // w: weight of the new gradient

  GS_HD static rmsprop at(const hyper& h, step_context&) {
    return {T(h.alpha), T(1 - h.alpha), above_zero<T>(h.eps), T(h.momentum)};
  }

  template <class V>
  GS_HD V operator()(V g, V& v) const {
    v = mean_square(v, g, alpha, w);
    return g / (sqrt(v) + V(eps));
  }

  // The same with the gradient's running mean taken out: the root of a variance. Where rounding makes it
  // negative it is smaller than that rounding, half an ulp of the mean square.
  template <class V>
  GS_HD V centered(V g, V& v, V& mean) const {
    v = mean_square(v, g, alpha, w);
    mean = lerp(mean, g, w);
    const V variance = fma(-mean, mean, v), rounding = V(range_of<T>::half_ulp) * v;
    return g / (sqrt(select(variance < V(T(0)), rounding, variance)) + V(eps));
  }

  template <class V>
  GS_HD V push(V u, V& buffer) const {
    buffer = fma(V(momentum), buffer, u);
    return buffer;
  }
};

template <class T>
struct rmsprop_momentum {
  using hyper = typename rmsprop<T>::hyper;
  static constexpr const auto& hyper_names = rmsprop<T>::hyper_names;
  static constexpr int states = 2;

  rmsprop<T> base;

  GS_HD static rmsprop_momentum at(const hyper& h, step_context& c) { return {rmsprop<T>::at(h, c)}; }

  template <class V>
  GS_HD V operator()(V g, V& v, V& buffer) const {
    return base.push(base(g, v), buffer);
  }
};

template <class T>
struct rmsprop_centered {
  using hyper = typename rmsprop<T>::hyper;
  static constexpr const auto& hyper_names = rmsprop<T>::hyper_names;
  static constexpr int states = 2;

  rmsprop<T> base;

  GS_HD static rmsprop_centered at(const hyper& h, step_context& c) { return {rmsprop<T>::at(h, c)}; }

  template <class V>
  GS_HD V operator()(V g, V& v, V& mean) const {
    return base.centered(g, v, mean);
  }
};

template <class T>
struct rmsprop_centered_momentum {
  using hyper = typename rmsprop<T>::hyper;
  static constexpr const auto& hyper_names = rmsprop<T>::hyper_names;
  static constexpr int states = 3;

  rmsprop<T> base;

  GS_HD static rmsprop_centered_momentum at(const hyper& h, step_context& c) {
    return {rmsprop<T>::at(h, c)};
  }

  template <class V>
  GS_HD V operator()(V g, V& v, V& buffer, V& mean) const {
    return base.push(base.centered(g, v, mean), buffer);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(rmsprop)
GS_RULE(rmsprop_momentum)
GS_RULE(rmsprop_centered)
GS_RULE(rmsprop_centered_momentum)
#endif
