// While one of these lives, its thread rounds to nearest even and keeps subnormal numbers, whatever the
// user's program has set (torch.set_flush_denormal, a library built with -ffast-math).
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>

namespace gradstep {

class ieee_mode {
 public:
  ieee_mode() : before_(get()) { set(standard); }
  ~ieee_mode() { set(before_); }
  ieee_mode(const ieee_mode&) = delete;
  ieee_mode& operator=(const ieee_mode&) = delete;

 private:
#if defined(__x86_64__)
  using word = unsigned;
  static constexpr word standard = 0x1f80;  // all exceptions masked, everything else off
  static word get() { return _mm_getcsr(); }
  static void set(word mode) { _mm_setcsr(mode); }
#elif defined(__aarch64__)
  using word = uint64_t;
  static constexpr word standard = 0;
  static word get() {
    word mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set(word mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#endif
  word before_;
};

}  // namespace gradstep
