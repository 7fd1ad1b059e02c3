// One CPU target: compiled once for each, with that target's flags and GS_TARGET as its name.
#include "host/simd/target.h"

#include "formats/convert.h"
#include "host/simd/evaluate.h"
#include "host/simd/loop.h"
#include "host/simd/matrix.h"
#include "host/simd/rule_sums.h"
#include "host/simd/standalone.h"
#include "host/simd/sums.h"
#include "rules/all.h"

#define GS_QUOTE(x) #x
#define GS_NAME(x) GS_QUOTE(x)

namespace gradstep::GS_TARGET {

struct name_list {
  const char* const* names;
  int count;
};

// The names of a rule's hyper-parameters, one for each double in `hyper`; a rule without any has no list.
template <class Rule>
constexpr name_list hyper_names_of = [] {
  using hyper = typename Rule::hyper;
  if constexpr (__is_empty(hyper)) {
    static_assert(!requires { Rule::hyper_names; }, "hyper has no fields, so leave hyper_names out");
    return name_list{nullptr, 0};
  } else {
    constexpr int count = sizeof Rule::hyper_names / sizeof Rule::hyper_names[0];
    static_assert(sizeof(hyper) == count * sizeof(double), "hyper_names must name each double of hyper");
    return name_list{Rule::hyper_names, count};
  }
}();

template <template <class> class Rule>
constexpr rule_entry entry(const char* name) {
  using narrow = Rule<float>;
  using wide = Rule<double>;
  static_assert(sizeof(wide) <= constants_bytes && narrow::states <= state_limit);
  return {name,
          narrow::states,
          hyper_names_of<narrow>.count,
          writes_parameter<narrow>,
          measurement_of<narrow>,
          sees_matrix<narrow> ? &matrix_form_of<narrow> : nullptr,
          hyper_names_of<narrow>.names,
          {{sizeof(narrow), make_rule_constants<narrow>, apply<typename descending_rule<narrow>::type, float>,
            apply_stored_of<typename descending_rule<narrow>::type, float>(), measure_of<narrow, float>(),
            matrix_of<narrow, float>()},
           {sizeof(wide), make_rule_constants<wide>, apply<typename descending_rule<wide>::type, double>,
            apply_stored_of<typename descending_rule<wide>::type, double>(), measure_of<wide, double>(),
            matrix_of<wide, double>()}}};
}

#define GS_RULE(rule) entry<rule>(#rule),
constexpr rule_entry rules[] = {
#include "rules/list.h"
};
#undef GS_RULE

template <class Storage>
constexpr storage_entry storage() {
  return {{decode<Storage, float>, decode<Storage, double>},
          {encode<Storage, float>, encode<Storage, double>},
          in_registers<Storage>};
}

template <class T>
constexpr sum_bodies sums() {
  return {add<T>, add_squares<T>, add_change<T>};
}

template <class T>
constexpr transform_bodies transforms() {
  return {transform_gradients<T>, average<T>};
}

#define GS_STORAGE(name) storage<formats::name>(),

extern const target description;
constexpr target description = {
    GS_NAME(GS_TARGET),
    rules,
    sizeof(rules) / sizeof(rules[0]),
    {GS_FORMATS(GS_STORAGE)},
    {sums<float>(), sums<double>()},
    {transforms<float>(), transforms<double>()},
    operations,
    sizeof(operations) / sizeof(operations[0]),
    evaluate,
    functions,
    sizeof(functions) / sizeof(functions[0]),
    &prefetch_distance,
    stored_unit,
};

}  // namespace gradstep::GS_TARGET
