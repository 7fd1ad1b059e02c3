// Copies between global and shared memory by the copy engine of sm_90 (cp.async.bulk), and the barrier that
// tells when one has come. The host that stands in for a device copies at once.
#pragma once

#include "cuda/runtime.h"

#if !defined(__CUDACC__)
#include <cstring>
#endif

namespace gradstep::GS_TARGET::tune {

#if defined(__CUDACC__)

__device__ __forceinline__ unsigned shared_address(const void* place) {
  return unsigned(__cvta_generic_to_shared(place));
}

// Counts the bytes of one turn's copies. All functions but `wait` are for one thread.
struct arrivals {
  unsigned long long state;

  __device__ __forceinline__ void make() {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(&state)) : "memory");
  }
  __device__ __forceinline__ void expect(unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&state)),
                 "r"(bytes)
                 : "memory");
  }
  // False if nothing came for a second: a wrong program ends so, and shows as wrong bits, instead of hanging.
  __device__ __forceinline__ bool wait(unsigned turn) const {
    const long long start = clock64();
    for (;;) {
      unsigned done;
      asm volatile(
          "{ .reg .pred p;\n"
          "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
          "selp.u32 %0, 1, 0, p; }"
          : "=r"(done)
          : "r"(shared_address(&state)), "r"(turn & 1)
          : "memory");
      if (done) return true;
      if (clock64() - start > 2'000'000'000) return false;
    }
  }
};

// Of multiples of 16 bytes at such places.
__device__ __forceinline__ void copy_in(void* to, const char* from, unsigned bytes, arrivals& told) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          shared_address(to)),
      "l"(__cvta_generic_to_global(from)), "r"(bytes), "r"(shared_address(&told.state))
      : "memory");
}
__device__ __forceinline__ void copy_out(char* to, const void* from, unsigned bytes) {
  asm volatile(
      "cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(__cvta_generic_to_global(to)),
      "r"(shared_address(from)), "r"(bytes)
      : "memory");
}
// The copies out since the last call are one group.
__device__ __forceinline__ void end_group() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
// All groups but the last `but` have been read from shared memory.
template <int but>
__device__ __forceinline__ void wait_for_groups() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(but) : "memory");
}
// The thread's own accesses to shared memory come before the copies that follow a barrier.
__device__ __forceinline__ void show_to_copies() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

#else

struct arrivals {
  void make() {}
  void expect(unsigned) {}
  bool wait(unsigned) const { return true; }
};
inline void copy_in(void* to, const char* from, unsigned bytes, arrivals&) { std::memcpy(to, from, bytes); }
inline void copy_out(char* to, const void* from, unsigned bytes) { std::memcpy(to, from, bytes); }
inline void end_group() {}
template <int>
void wait_for_groups() {}
inline void show_to_copies() {}

#endif

}  // namespace gradstep::GS_TARGET::tune
