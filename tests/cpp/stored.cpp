// Updates of arrays that registers decode and encode as they are stored, against the scalar target, which
// does so number by number in blocks: every rule, any mix of formats, of any length, from any address on.
#include "tasks.h"

using namespace checks;
using gradstep::arithmetic, gradstep::host_update, gradstep::rule_entry, gradstep::target;

namespace {

constexpr dtype formats[] = {dtype::f32, dtype::f16, dtype::bf16};
constexpr int64_t guard = 67;  // bytes around an array, which are nobody's; odd, so that nothing is aligned

constexpr uint32_t lower[] = {0,      1,      0x7fff,
                              0x8000, 0x8001, 0xffff};  // what bf16 rounds, on both sides of a tie

uint32_t any_bits(random_numbers& random) {
  constexpr uint32_t upper[] = {0, 0x8000, 0x0001, 0x7f80, 0xff80, 0x7fc0, 0x7f7f, 0x0080, 0x3f80};
  const uint32_t above = random.chance(2) ? upper[random.between(0, 8)] : uint32_t(random.bits() & 0xffff);
  return above << 16 | lower[random.between(0, 5)];
}

// A run of numbers between bytes that must stay.
class guarded_run {
 public:
  guarded_run(dtype type, int64_t n, random_numbers& random, int one_odd_in)
      : type_(type), n_(n), memory_(size_t(n * bytes_of(type) + 2 * guard), '\x5a') {
    for (int64_t i = 0; i < n; ++i) {
      if (random.chance(one_odd_in)) {
        const uint32_t bits = any_bits(random);
        std::memcpy(place(i), type == dtype::f32 ? &bits : same_upper_half(bits), size_t(bytes_of(type)));
      } else {
        set_number(place(i), type, random.uniform());
      }
    }
  }

  gradstep::operand operand() const {
    const dimension all = {n_, bytes_of(type_)};
    return {view_of(const_cast<char*>(place(0)), type_, {&all, 1}), {0}};
  }
  // One NaN stands for all: which of two operands' a target keeps is nobody's promise.
  bool same_as(const guarded_run& other) const {
    for (int64_t i = 0; i < n_; ++i) {
      const bool same_bytes = std::memcmp(place(i), other.place(i), size_t(bytes_of(type_))) == 0;
      if (!same_bytes && !(std::isnan(at(i)) && std::isnan(other.at(i)))) return false;
    }
    return guards() == other.guards();
  }
  double at(int64_t i) const { return number_at(place(i), type_); }
  const char* place(int64_t i) const { return memory_.data() + guard + i * bytes_of(type_); }
  char* place(int64_t i) { return memory_.data() + guard + i * bytes_of(type_); }

 private:
  static const void* same_upper_half(const uint32_t& bits) {
    return reinterpret_cast<const char*>(&bits) + 2;  // little-endian, as every target
  }
  std::string guards() const {
    return std::string(memory_.begin(), memory_.begin() + guard) +
           std::string(memory_.end() - guard, memory_.end());
  }

  dtype type_;
  int64_t n_;
  std::vector<char> memory_;
};

// All that a step touches.
struct stored_tensor {
  int64_t n;
  std::vector<guarded_run> runs;  // p, g, the average, the copy and the states
  bool has_average, has_copy;

  stored_tensor(int states, int64_t elements, random_numbers& random, int one_odd_in)
      : n(elements), has_average(random.chance(2)), has_copy(random.chance(2)) {
    const dtype all = formats[random.between(0, 2)];
    const bool mixed = !random.chance(3);
    for (int k = 0; k < 4 + states; ++k)
      runs.emplace_back(mixed ? formats[random.between(0, 2)] : all, n, random, one_odd_in);
  }
  stored_tensor(int64_t elements, std::vector<guarded_run> of)
      : n(elements), runs(std::move(of)), has_average(true), has_copy(true) {}

  gradstep::tensor_task task(const host_update& step) const {
    gradstep::tensor_task made;
    made.parameter = runs[0].operand();
    made.gradient = runs[1].operand();
    made.average = runs[2].operand();
    made.copy = runs[3].operand();
    made.has_average = has_average;
    made.has_copy = has_copy;
    made.state_count = int(runs.size()) - 4;
    for (int k = 0; k < made.state_count; ++k) made.states[k] = runs[size_t(k) + 4].operand();
    made.step = &step;
    made.size = n;
    return made;
  }
};

// The rule's numbers are anything: what matters is that the targets do the same with them.
host_update any_update(const rule_entry& rule, const gradstep::step_context& now) {
  host_update made = {};
  made.body = &rule.bodies[0];
  made.type = arithmetic::f32;
  const std::vector<double> hypers(size_t(rule.hypers) + 1, 0.75);
  gradstep::step_context context = now;
  made.body->make_rule_constants(hypers.data(), context, made.rule);
  made.rate = context.rate;
  made.decay_factor = context.decay_factor;
  made.decay_factor_if_opposed = 1;
  made.average_weight = 0.25;
  return made;
}

host_update update_of(const target& on, int rule, random_numbers& random) {
  gradstep::step_context now = {};
  now.t = 3;
  now.lr = now.rate = 0.05;
  now.decay = 0.03;
  now.decay_factor = 0.97;
  now.elements = 100;
  now.measured[0] = now.measured[1] = 0.7;
  now.kept[0] = now.kept[1] = 1;
  host_update made = any_update(on.rules[rule], now);
  made.transforms_gradient = random.chance(2);
  made.gradient = {0.5, 0.75, 1.5, random.chance(2) ? 0 : 0.03, random.chance(2)};
  made.zero_grad = random.chance(2);
  return made;
}

int64_t any_length(random_numbers& random) {
  return random.chance(8) ? random.between(4000, 5000) : random.between(1, 150);
}

// Each with the same numbers on the target and on the scalar one.
void check_rule(const target& on, int rule, uint64_t seed) {
  const rule_entry& entry = on.rules[rule];
  const target& scalar = *gradstep::available_targets().front();
  random_numbers random(seed);
  for (int trial = 0; trial < 40; ++trial) {
    const int one_odd_in = trial % 2 ? 1000 : 5;
    const stored_tensor expected(entry.states, any_length(random), random, one_odd_in);
    const stored_tensor found = expected;
    const uint64_t choices = random.bits();
    random_numbers first(choices), second(choices);
    const host_update by_scalar = update_of(scalar, rule, first), by_target = update_of(on, rule, second);
    update_run(scalar, expected.task(by_scalar), 0, expected.n);
    update_run(on, found.task(by_target), 0, found.n);
    for (size_t k = 0; k < expected.runs.size(); ++k) {
      situation = std::string(on.name) + " " + entry.name + ", array " + std::to_string(k) + " of trial " +
                  std::to_string(trial);
      CHECK(found.runs[k].same_as(expected.runs[k]));
    }
  }
}

}  // namespace

TEST(stored_arrays_give_the_bits_of_blocks) {
  on_each_target([](const target& on) {
    for (int rule = 0; rule < on.rule_count; ++rule)
      if (!on.rules[rule].form) check_rule(on, rule, 50 + uint64_t(rule));
  });
}

TEST(every_target_but_scalar_decodes_in_registers) {
  for (const target* each : gradstep::available_targets()) {
    const bool expected = each->name != std::string("scalar");
    for (const dtype type : formats) CHECK_EQ(each->storages[int(type)].in_registers, expected);
    for (int rule = 0; rule < each->rule_count; ++rule)
      CHECK_EQ(each->rules[rule].bodies[0].apply_stored != nullptr, expected);
  }
}

// A parameter that a rate of 0 leaves as it is, rounded into a copy and an average: every upper half of a
// float with lower halves on both sides of a tie.
TEST(registers_round_to_nearest_even) {
  on_each_target([](const target& on) {
    constexpr int64_t n = 6 << 16;
    random_numbers random(49);
    int sgd = 0;
    while (on.rules[sgd].name != std::string("sgd")) ++sgd;
    gradstep::step_context now = {};
    now.t = 1;
    now.decay_factor = 1;
    host_update step = any_update(on.rules[sgd], now);
    step.average_weight = 1;
    for (const dtype type : {dtype::f16, dtype::bf16}) {
      std::vector<guarded_run> runs;
      for (const dtype each : {dtype::f32, dtype::f32, type, type})
        runs.emplace_back(each, n, random, 1 << 30);
      for (int64_t i = 0; i < n; ++i) {
        const uint32_t bits = uint32_t(i / 6) << 16 | lower[i % 6];
        std::memcpy(runs[0].place(i), &bits, sizeof bits);
      }
      const guarded_run given = runs[0];
      const stored_tensor tensor(n, std::move(runs));
      update_run(on, tensor.task(step), 0, n);
      int wrong = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double x = given.at(i);
        const uint16_t copy = stored_at<uint16_t>(tensor.runs[3].place(i)),
                       average = stored_at<uint16_t>(tensor.runs[2].place(i));
        if (std::isnan(x)) {
          wrong += !std::isnan(decode(copy, type)) || !std::isnan(decode(average, type));
        } else if (x != 0) {  // the sign of a 0 is that of a sum
          wrong += copy != encode(x, type);
          wrong += std::isfinite(x) && average != encode(x, type);
        }
      }
      CHECK_EQ(wrong, 0);
    }
  });
}
