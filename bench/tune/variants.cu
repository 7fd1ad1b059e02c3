#include "variant.h"

namespace gradstep::GS_TARGET::tune {

variants variants_of(const plan& on) {
  variants all;
  add_yardsticks(all, on);
  if (on.of().type == dtype::f32) {
    add_native_updates(all, on);
    add_hinted_updates(all, on);
    add_bulk_updates(all, on);
  } else {
    add_bf16_updates(all, on);
  }
  add_measures(all, on);
  add_steps(all, on);
  return all;
}

}  // namespace gradstep::GS_TARGET::tune
