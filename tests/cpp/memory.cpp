// Memory that the arrays of a plan share.
#include "plan/memory.h"

#include "stepping.h"

using namespace checks;
using gradstep::tensor_part;

namespace {

bool is_part(const tensor_part& part, int tensor, int member) {
  return part.tensor == tensor && part.member == member;
}

}  // namespace

TEST(gradients_that_are_only_read_may_share) {
  const tensor_arrays first(dtype::f32, {6, 4}, 1), second(dtype::f32, {6, 4}, 1),
      third(dtype::f32, {6, 4}, 1);
  test_plan plan;
  plan.add(0, first.parameter.view(), first.parameter.view(), first.state());  // its own parameter
  second.add_to(plan);
  plan.add(0, third.parameter.view(), second.gradient.view(), third.state());
  CHECK(!plan.read({momentum_settings()}));
  group_settings zeroing = momentum_settings();
  zeroing.options.zero_grad = true;
  const auto found = plan.read({zeroing});
  CHECK(found && !found->alone && !found->unsure);
}

TEST(a_gradient_that_is_zeroed_is_not_its_parameter) {
  const tensor_arrays arrays(dtype::f32, {6, 4}, 1);
  test_plan plan;
  plan.add(0, arrays.parameter.view(), arrays.parameter.view(), arrays.state());
  group_settings zeroing = momentum_settings();
  zeroing.options.zero_grad = true;
  const auto found = plan.read({zeroing});
  CHECK(found && is_part(found->subject, 0, tensor_part::zeroed_gradient) &&
        is_part(found->other, 0, tensor_part::parameter));
}

TEST(a_state_belongs_to_one_tensor) {
  const tensor_arrays first(dtype::f32, {6, 4}, 1), second(dtype::f32, {6, 4}, 1);
  test_plan plan;
  first.add_to(plan);
  plan.add(0, second.parameter.view(), second.gradient.view(), first.state());
  const auto found = plan.read({momentum_settings()});
  CHECK(found && is_part(found->subject, 0, 0) && is_part(found->other, 1, 0) && !found->alone);
}

TEST(a_parameter_repeats_no_element) {
  const tensor_arrays arrays(dtype::f32, {6, 4}, 1);
  const std::vector<dimension> repeated = {{6, 0}, {4, 4}};
  test_plan plan;
  plan.add(0, view_of(arrays.parameter.view().data, dtype::f32, repeated), arrays.gradient.view(),
           arrays.state());
  const auto found = plan.read({momentum_settings()});
  CHECK(found && found->alone && is_part(found->subject, 0, tensor_part::parameter));
}

TEST(memory_that_arrays_move_to_is_looked_at_again) {
  const std::vector<group_settings> groups = {momentum_settings()};
  const tensor_arrays first(dtype::f32, {6, 4}, 1), second(dtype::f32, {6, 4}, 1);
  test_plan plan;
  first.add_to(plan);
  second.add_to(plan);
  CHECK(!plan.read(groups));
  plan.set_gradient(1, first.states[0].view());
  const auto found = plan.read(groups);
  CHECK(found && is_part(found->subject, 1, tensor_part::gradient) && is_part(found->other, 0, 0));
  plan.set_gradient(1, second.gradient.view());
  CHECK(!plan.read(groups));
  plan.move(1, second.parameter.view(), second.gradient.view(), {{first.parameter.view()}, {}, {}});
  const auto moved = plan.read(groups);
  CHECK(moved && is_part(moved->subject, 1, 0) && is_part(moved->other, 0, tensor_part::parameter));
}
