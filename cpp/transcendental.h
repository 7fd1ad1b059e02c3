// Powers, exponentials and logarithms in double, our own because libm's and CUDA's differ in the last digit.
#pragma once

#include "math.h"

namespace gradstep::GS_TARGET {

// 1 - base^n for an integer n >= 0, to about one ulp even where base^n is close to 1: the power is formed by
// squaring in double-double arithmetic.
GS_HD double one_minus_power(double base, int64_t n) {
  double power = 1, power_low = 0, square = base, square_low = 0;
  for (; n > 0; n >>= 1) {
    if (n & 1) {
      const double product = power * square;
      power_low = fma(power, square, -product) + fma(power, square_low, power_low * square);
      power = product;
    }
    const double product = square * square;
    square_low = fma(square, square, -product) + 2 * square * square_low;
    square = product;
  }
  return (1 - power) - power_low;
}

}  // namespace gradstep::GS_TARGET
