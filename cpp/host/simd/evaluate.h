// Schedules and the functions they are made of, on a CPU target: the loops, and the tables that name them.
#pragma once

#include "host/simd/target.h"
#include "numeric/angles.h"
#include "schedules/evaluate.h"

namespace gradstep::GS_TARGET {

constexpr int schedule_block = 128;  // steps at once: the stacks in use stay in L1

inline void evaluate(const program& code, const int64_t* t, double* out, int64_t n) {
  if (n == 1) return evaluate_steps<1>(code, t, out, 1);
  for (int64_t i = 0; i < n; i += schedule_block) {
    const int64_t rest = n - i;
    evaluate_steps<schedule_block>(code, t + i, out + i, int(rest < schedule_block ? rest : schedule_block));
  }
}

template <class Operation>
constexpr operation_entry describe(const char* name, operation_kind kind) {
  if constexpr (requires { Operation::least_numbers; }) {
    return {name, kind, Operation::least_numbers, true};
  } else {
    return {name, kind, std::is_empty_v<Operation> ? 0 : int(sizeof(Operation) / sizeof(double)), false};
  }
}

// In the order of enum class operation.
#define GS_DESCRIBE(kind, name) describe<schedules::name>(#name, operation_kind::kind),
constexpr operation_entry operations[] = {GS_OPERATIONS(GS_DESCRIBE){"back", operation_kind::back, 0, false}};
#undef GS_DESCRIBE

template <double (*function)(double)>
void map(const double* x, const double*, double* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = function(x[i]);
}

template <double (*function)(double, double)>
void map(const double* x, const double* y, double* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = function(x[i], y[i]);
}

constexpr function_entry functions[] = {
    {"exp2", map<exp2>}, {"log2", map<log2>},   {"exp", map<exp>},   {"log", map<log>},
    {"pow", map<pow>},   {"cospi", map<cospi>}, {"tanh", map<tanh>}, {"angle", map<angle<double, double>>}};

}  // namespace gradstep::GS_TARGET
