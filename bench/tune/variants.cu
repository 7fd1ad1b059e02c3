#include "variant.h"

namespace gradstep::GS_TARGET::tune {

variants variants_of(const plan& on) {
  variants all;
  add_yardsticks(all, on);
  add_updates(all, on);
  add_measures(all, on);
  add_steps(all, on);
  return all;
}

}  // namespace gradstep::GS_TARGET::tune
