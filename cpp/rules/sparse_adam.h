// Adam with eps added to the uncorrected root, as torch.optim.SparseAdam has it: the form of the last remark
// of section 2 in Kingma and Ba 2015, arXiv:1412.6980.
#ifndef GS_RULES_SPARSE_ADAM_H
#define GS_RULES_SPARSE_ADAM_H

#include "rules/adam.h"

namespace gradstep::GS_TARGET {

template <class T>
struct sparse_adam {
  using hyper = typename adam<T>::hyper;
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps"};
  static constexpr int states = 2;

  adam<T> base;

  GS_HD static sparse_adam at(const hyper& h, step_context& c) {
    sparse_adam step = {adam<T>::at(h, c)};
    c.rate *= sqrt(one_minus_power(h.beta2, c.t));
    step.base.root_correction = 1;
    return step;
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    return base(g, m, v);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(sparse_adam)
#endif
