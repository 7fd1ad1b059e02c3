// Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". It is a function of a
// counter and a key, so any step's number can be had without those before it.
#pragma once

#include "progress.h"

namespace gradstep::GS_TARGET::schedules {

constexpr uint64_t low_word = 0xffffffff;

// Words of 32 bits, each in a lane of 64 for its product.
struct philox_block {
  uint64_t a, b, c, d;
};

GS_HD philox_block philox(uint64_t counter, uint64_t key) {
  philox_block x = {counter & low_word, counter >> 32, 0, 0};
  uint64_t first_key = key & low_word, second_key = key >> 32;
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = x.a * 0xd2511f53, second = x.c * 0xcd9e8d57;
    x = {(second >> 32) ^ x.b ^ first_key, second & low_word, (first >> 32) ^ x.d ^ second_key,
         first & low_word};
    first_key = (first_key + 0x9e3779b9) & low_word;
    second_key = (second_key + 0xbb67ae85) & low_word;
  }
  return x;
}

// A whole number up to 2^53 as an integer: below 2^32, the sum's lowest bits are the number.
GS_HD uint64_t to_integer(double whole) {
  const double high = floor_ratio(whole, 0x1p32), low = fma(-high, 0x1p32, whole);
  return (to_bits(high + 0x1p52) & low_word) << 32 | (to_bits(low + 0x1p52) & low_word);
}

// Uniform from 0 to 1, the 1 left out, in steps of 2^-52: the upper bits of the block's first two words.
GS_HD double random_fraction(double seed, double t) {
  const philox_block x = philox(to_integer(floor_ratio(t, 1.0)), to_integer(seed));
  return from_bits(0x3ff0000000000000 | x.a << 20 | x.b >> 12) - 1;
}

}  // namespace gradstep::GS_TARGET::schedules
