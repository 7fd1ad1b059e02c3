// One CPU target: compiled once for each, with that target's flags and GS_TARGET as its name.
#include "host/simd/target.h"

#include "formats/convert.h"
#include "host/simd/evaluate.h"
#include "host/simd/loop.h"
#include "host/simd/matrix.h"
#include "host/simd/rule_sums.h"
#include "host/simd/standalone.h"
#include "host/simd/sums.h"
#include "rules/list.h"

#define GS_QUOTE(x) #x
#define GS_NAME(x) GS_QUOTE(x)

namespace gradstep::GS_TARGET {

template <template <class> class Rule>
constexpr rule_entry entry(const char* name) {
  using narrow = Rule<float>;
  using wide = Rule<double>;
  static_assert(sizeof(wide) <= constants_bytes && narrow::states <= state_limit);
  constexpr int count =
      __is_empty(typename narrow::hyper) ? 0 : int(sizeof(typename narrow::hyper) / sizeof(double));
  return {name,
          narrow::states,
          count,
          writes_parameter<narrow>,
          measurement_of<narrow>,
          sees_matrix<narrow> ? &matrix_form_of<narrow> : nullptr,
          narrow::hyper_names,
          {{sizeof(narrow), make_rule_constants<narrow>, apply<typename descending_rule<narrow>::type, float>,
            measure_of<narrow, float>(), matrix_of<narrow, float>()},
           {sizeof(wide), make_rule_constants<wide>, apply<typename descending_rule<wide>::type, double>,
            measure_of<wide, double>(), matrix_of<wide, double>()}}};
}

#define GS_ENTRY(rule) entry<rule>(#rule),
constexpr rule_entry rules[] = {GS_RULES(GS_ENTRY)};

template <class Storage>
constexpr storage_entry storage() {
  return {{decode<Storage, float>, decode<Storage, double>},
          {encode<Storage, float>, encode<Storage, double>}};
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
};

}  // namespace gradstep::GS_TARGET
