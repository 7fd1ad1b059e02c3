// Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". It is a function of a
// counter and a key, so any step's number can be had without those before it.
#pragma once

#include <cstdint>

#include "numeric/ratios.h"

namespace gradstep::GS_TARGET {

struct philox_block {
  uint32_t a, b, c, d;
};

GS_HD philox_block philox(uint64_t counter, uint64_t key) {
  philox_block x = {uint32_t(counter), uint32_t(counter >> 32), 0, 0};
  uint32_t first_key = uint32_t(key), second_key = uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t(x.a) * 0xd2511f53, second = uint64_t(x.c) * 0xcd9e8d57;
    x = {uint32_t(second >> 32) ^ x.b ^ first_key, uint32_t(second), uint32_t(first >> 32) ^ x.d ^ second_key,
         uint32_t(first)};
    first_key += 0x9e3779b9;
    second_key += 0xbb67ae85;
  }
  return x;
}

// A whole number up to 2^53 as an integer: below 2^32, the sum's lowest bits are the number.
GS_HD uint64_t to_integer(double whole) {
  const double high = floor_ratio(whole, 0x1p32), low = fma(-high, 0x1p32, whole);
  return to_bits(high + 0x1p52) << 32 | uint32_t(to_bits(low + 0x1p52));
}

// Uniform from 0 to 1, the 1 left out, in steps of 2^-52: the upper bits of the block's first two words.
GS_HD double random_fraction(double seed, double t) {
  const philox_block x = philox(to_integer(floor_ratio(t, 1.0)), to_integer(seed));
  return from_bits(0x3ff0000000000000 | uint64_t(x.a) << 20 | x.b >> 12) - 1;
}

}  // namespace gradstep::GS_TARGET
