// Prints digests of all that one CPU target computes: every rule's trajectory, alone and with what may
// surround it, every storage's conversions and the transcendental functions, over awkward numbers. Compiled
// together with cpp/host/simd/target.cpp for two targets it shows whether they give the same bits.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "host/simd/target.h"

namespace gradstep::GS_TARGET {
extern const target description;
}

namespace {

using gradstep::rule_entry;
using gradstep::GS_TARGET::description;

constexpr int count = 1037;  // no multiple of any register
constexpr int steps = 5;

// 64-bit FNV-1a over the bits, with one NaN for all.
class digest {
 public:
  template <class T>
  void add(T x) {
    if (x != x) x = T(NAN);
    unsigned char bytes[sizeof x];
    std::memcpy(bytes, &x, sizeof x);
    for (const unsigned char byte : bytes) state_ = (state_ ^ byte) * 0x100000001b3u;
  }
  template <class T>
  void add(const std::vector<T>& all) {
    for (const T x : all) add(x);
  }
  void print(const char* what, const char* name) const {
    std::printf("%s %s %016llx\n", what, name, (unsigned long long)state_);
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325u;
};

// A 64-bit linear congruential generator (Knuth's MMIX); the upper bits are the good ones.
class random_bits {
 public:
  explicit random_bits(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 11 ^ state_ << 53;
  }

 private:
  uint64_t state_;
};

template <class T, class Bits>
T of_bits(uint64_t bits) {
  const Bits narrow = Bits(bits);
  T x;
  std::memcpy(&x, &narrow, sizeof x);
  return x;
}

template <class T>
T any_number(random_bits& random) {
  if constexpr (sizeof(T) == 8)
    return of_bits<T, uint64_t>(random.next());
  else
    return of_bits<T, uint32_t>(random.next());
}

// Mostly between -2 and 2, with subnormal, huge, infinite, signed zero and NaN ones among them.
template <class T>
std::vector<T> numbers(uint64_t seed, int n) {
  random_bits random(seed);
  std::vector<T> made;
  const T odd[] = {T(0),     T(-0.0),   T(INFINITY), T(-INFINITY), T(NAN),
                   T(1e-40), T(-3e-42), T(3e38),     T(1),         T(-1)};
  for (int i = 0; i < n; ++i) {
    const uint64_t bits = random.next();
    if (bits % 16 == 0)
      made.push_back(odd[(bits >> 8) % std::size(odd)]);
    else if (bits % 16 == 1)
      made.push_back(any_number<T>(random));
    else
      made.push_back(T(double(int64_t(bits)) * 0x1p-62));
  }
  return made;
}

double hyper_value(const char* name) {
  struct known {
    const char* name;
    double value;
  };
  constexpr known all[] = {{"momentum", .8},
                           {"dampening", .3},
                           {"lr_decay", .1},
                           {"rho", .8},
                           {"alpha", .7},
                           {"beta1", .8},
                           {"beta2", .95},
                           {"eps", 1e-3},
                           {"lambd", .02},
                           {"t0", 2},
                           {"step_min", .01},
                           {"step_max", .03},
                           {"eta_minus", .4},
                           {"eta_plus", 1.3},
                           {"momentum_decay", .02},
                           {"beta3", .9},
                           {"alpha_warmup", 2.5},
                           {"beta3_warmup", 4},
                           {"a", 1.1},
                           {"b", .7},
                           {"r", .5},
                           {"weight_lr_power", 1.5},
                           {"weight", -.25},
                           {"max_ratio", .9},
                           {"bias_correction", 1},
                           {"grad_averaging", 0},
                           {"always_adapt", 1},
                           {"trust_coeff", .3},
                           {"trust_clip", 0},
                           {"d0", .02},
                           {"d_coef", 1.5},
                           {"growth_rate", 1.2},
                           {"safeguard_warmup", 0}};
  for (const known& each : all)
    if (std::strcmp(each.name, name) == 0) return each.value;
  std::fprintf(stderr, "no value for the hyper-parameter %s\n", name);
  std::exit(1);
}

template <class T>
void run_rule(const rule_entry& rule) {
  const gradstep::rule_body& body = rule.bodies[sizeof(T) == 8];
  std::vector<double> hypers;
  for (int i = 0; i < rule.hypers; ++i) hypers.push_back(hyper_value(rule.hyper_names[i]));
  hypers.push_back(0);  // so that data() is never null
  std::vector<T> p = numbers<T>(1, count), average = numbers<T>(2, count);
  std::vector<std::vector<T>> states(gradstep::state_limit, std::vector<T>(count));
  gradstep::step_context now = {};
  now.kept[0] = now.kept[1] = 1;
  now.fresh = true;
  digest all;
  for (int t = 1; t <= steps; ++t) {
    now.t = t;
    now.lr = now.rate = .05;
    now.weight_decay = .6;
    now.decay = .03;
    now.decay_factor = .97;
    now.elements = count;
    now.measured[0] = .7;  // not what is measured below: there are infinite and NaN numbers
    now.measured[1] = 1.3;
    alignas(16) unsigned char constants[gradstep::constants_bytes];
    body.make_rule_constants(hypers.data(), now, constants);
    std::vector<T> g = numbers<T>(100 + uint64_t(t), count);
    const gradstep::gradient_transform stage = {.5, .75, 1.5, .03, t % 2 != 0};
    const bool alone = t % 4 == 0;
    const gradstep::update update = {now.rate,  now.decay_factor,         now.decay_factor,
                                     constants, alone ? nullptr : &stage, .25};
    gradstep::operands x = {p.data(), g.data(), {}, nullptr, nullptr, count};
    if (!alone) x.average = average.data(), x.zeroed = t % 3 == 0 ? g.data() : nullptr;
    for (int k = 0; k < rule.states; ++k) x.s[k] = states[size_t(k)].data();
    if (body.measure) {
      gradstep::rule_lanes lanes = {};
      body.measure(update, x, lanes);
      for (const auto& sum : lanes)
        for (const double lane : sum) all.add(lane);
    }
    body.apply(update, x);
    all.add(p);
    all.add(g);
    now.fresh = false;
  }
  for (const auto& state : states) all.add(state);
  all.add(average);
  for (const double kept : now.kept) all.add(kept);
  all.print(sizeof(T) == 8 ? "f64" : "f32", rule.name);
}

// An array of one format. Where the target's registers do not decode it, as the scalar one's, it is decoded
// before the update and encoded after it.
struct stored_numbers {
  gradstep::dtype type;
  std::vector<float> numbers;
  std::vector<char> bytes;

  stored_numbers(gradstep::dtype of, std::vector<float> all)
      : type(of), numbers(std::move(all)), bytes(numbers.size() * 4) {
    encode();
  }
  gradstep::stored_array stored() { return {bytes.data(), type}; }
  void encode() { storage().encode[0](numbers.data(), {bytes.data(), nullptr}, int64_t(numbers.size())); }
  void decode() { storage().decode[0]({bytes.data(), nullptr}, numbers.data(), int64_t(numbers.size())); }

 private:
  const gradstep::storage_entry& storage() const { return description.storages[int(type)]; }
};

void run_stored(const rule_entry& rule) {
  using gradstep::dtype;
  constexpr int stored_count = 1024;  // a multiple of every target's unit
  constexpr dtype mixes[][3] = {{dtype::bf16, dtype::bf16, dtype::bf16},
                                {dtype::bf16, dtype::bf16, dtype::f32},
                                {dtype::f32, dtype::bf16, dtype::f32},
                                {dtype::f16, dtype::bf16, dtype::f32}};  // parameter, gradient, states
  const gradstep::rule_body& body = rule.bodies[0];
  std::vector<double> hypers;
  for (int i = 0; i < rule.hypers; ++i) hypers.push_back(hyper_value(rule.hyper_names[i]));
  hypers.push_back(0);
  digest all;
  for (const auto& mix : mixes) {
    gradstep::step_context now = {};
    now.t = 1;
    now.kept[0] = now.kept[1] = 1;
    now.lr = now.rate = .05;
    now.decay_factor = .97;
    now.elements = stored_count;
    now.measured[0] = now.measured[1] = .7;
    alignas(16) unsigned char constants[gradstep::constants_bytes];
    body.make_rule_constants(hypers.data(), now, constants);
    const gradstep::gradient_transform stage = {.5, .75, 1.5, .03, true};
    const gradstep::update update = {now.rate, now.decay_factor, 1, constants, &stage, .25};
    std::vector<stored_numbers> arrays = {{mix[0], numbers<float>(11, stored_count)},
                                          {mix[1], numbers<float>(12, stored_count)},
                                          {mix[0], numbers<float>(13, stored_count)},
                                          {dtype::bf16, std::vector<float>(stored_count)}};
    for (int k = 0; k < rule.states; ++k)
      arrays.push_back({mix[2], numbers<float>(14 + uint64_t(k), stored_count)});
    for (stored_numbers& each : arrays) each.decode();
    if (body.apply_stored) {
      gradstep::stored_operands x = {};
      x.n = stored_count;
      x.p = arrays[0].stored(), x.g = arrays[1].stored();
      x.average = arrays[2].stored(), x.copy = arrays[3].stored();
      for (int k = 0; k < rule.states; ++k) x.s[k] = arrays[size_t(k) + 4].stored();
      body.apply_stored(update, x);
    } else {
      gradstep::operands x = {};
      x.n = stored_count;
      x.p = arrays[0].numbers.data(), x.g = arrays[1].numbers.data();
      x.average = arrays[2].numbers.data();
      for (int k = 0; k < rule.states; ++k) x.s[k] = arrays[size_t(k) + 4].numbers.data();
      body.apply(update, x);
      arrays[3].numbers = arrays[0].numbers;
      for (stored_numbers& each : arrays) each.encode();
    }
    for (stored_numbers& each : arrays) {
      each.decode();
      all.add(each.numbers);
    }
  }
  all.print("stored", rule.name);
}

// Every 16-bit number decoded, and many wide ones encoded, into what `Bits` holds.
template <class T, class Bits>
void run_storage(gradstep::dtype type) {
  const gradstep::storage_entry& storage = description.storages[int(type)];
  digest all;
  std::vector<Bits> every(1 << 16), encoded;
  if constexpr (sizeof(Bits) == 2)
    for (size_t i = 0; i < every.size(); ++i) every[i] = Bits(i);
  else
    every = numbers<Bits>(7, 1 << 16);
  std::vector<T> decoded(every.size());
  storage.decode[sizeof(T) == 8]({reinterpret_cast<char*>(every.data()), nullptr}, decoded.data(),
                                 int64_t(every.size()));
  all.add(decoded);

  random_bits random(3);
  std::vector<T> wide = decoded;
  for (int i = 0; i < 100'003; ++i) wide.push_back(any_number<T>(random));
  for (const T x : decoded) {  // the neighbourhood of what is half way between two numbers
    wide.push_back(x * T(1 + 0x1p-9));
    wide.push_back(x * T(1 + 0x1p-12));
    wide.push_back(std::nextafter(x, T(0)));
  }
  for (T& x : wide)
    if (x != x) x = T(1);  // a 16-bit NaN's bits are nobody's promise
  encoded.resize(wide.size());
  storage.encode[sizeof(T) == 8](wide.data(), {reinterpret_cast<char*>(encoded.data()), nullptr},
                                 int64_t(wide.size()));
  all.add(encoded);
  all.print(sizeof(T) == 8 ? "f64" : "f32", gradstep::format_of(type).name);
}

void run_functions() {
  std::vector<double> x = numbers<double>(5, 20'011), y = numbers<double>(6, 20'011), out(x.size());
  for (int i = 0; i < description.function_count; ++i) {
    description.functions[i].map(x.data(), y.data(), out.data(), int64_t(x.size()));
    digest all;
    all.add(out);
    all.print("function", description.functions[i].name);
  }
}

}  // namespace

int main() {
  for (int i = 0; i < description.rule_count; ++i) {
    run_rule<float>(description.rules[i]);
    run_rule<double>(description.rules[i]);
    run_stored(description.rules[i]);
  }
  run_storage<float, uint16_t>(gradstep::dtype::f16);
  run_storage<double, uint16_t>(gradstep::dtype::f16);
  run_storage<float, uint16_t>(gradstep::dtype::bf16);
  run_storage<double, uint16_t>(gradstep::dtype::bf16);
  run_storage<float, double>(gradstep::dtype::f64);
  run_storage<double, float>(gradstep::dtype::f32);
  run_functions();
}
