#include "host/simd/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define GS_DECLARE(name)           \
  namespace gradstep::name {       \
  extern const target description; \
  }
GS_DECLARE(scalar)
#if defined(GRADSTEP_HAS_AVX2)
GS_DECLARE(avx2)
#endif
#if defined(GRADSTEP_HAS_AVX512)
GS_DECLARE(avx512)
#endif
#if defined(GRADSTEP_HAS_NEON)
GS_DECLARE(neon)
#endif

namespace gradstep {

namespace {

#if defined(__x86_64__)
// Which clang's __builtin_cpu_supports does not know before version 18.
[[maybe_unused]] bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}

[[maybe_unused]] bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

[[maybe_unused]] bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

}  // namespace

std::vector<const target*> available_targets() {
  std::vector<const target*> found = {&scalar::description};
#if defined(GRADSTEP_HAS_AVX2)
  if (has_avx2()) found.push_back(&avx2::description);
#endif
#if defined(GRADSTEP_HAS_AVX512)
  if (has_avx512()) found.push_back(&avx512::description);
#endif
#if defined(GRADSTEP_HAS_NEON)
  found.push_back(&neon::description);
#endif
  return found;
}

namespace {
const target*& chosen() {
  static const target* current = available_targets().back();
  return current;
}
}  // namespace

const target& active_target() { return *chosen(); }

bool select_target(const std::string& name) {
  for (const target* each : available_targets())
    if (each->name == name) {
      chosen() = each;
      return true;
    }
  return false;
}

}  // namespace gradstep
