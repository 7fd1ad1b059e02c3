// Powers, exponentials and logarithms, our own because libm's and CUDA's differ in the last digit.
//
// Each is a chain of + - * / and fma without a branch or a table, so a loop over one vectorises and every
// target gives the same bits. The coefficients are Chebyshev fits made with mpmath; the error is about half
// an ulp (tests/rules/test_transcendental.py holds each function to its bound).
#pragma once

#include <cstdint>

#include "numeric/math.h"

namespace gradstep::GS_TARGET {

// 1 - base^n for an integer n >= 0. The power is formed by squaring in double-double arithmetic and rounded
// to double before it is taken from 1, as torch does: a difference formed more exactly would put the step up
// to 50 ulp of a small float64 parameter away from torch's.
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
  return 1 - (power + power_low);
}

// A number as an unevaluated sum, twice as wide as a double.
struct twofold {
  double high, low;
};

GS_HD twofold exact_product(double a, double b) {
  const double product = a * b;
  return {product, fma(a, b, -product)};
}

// For |a| >= |b|, or a == 0.
GS_HD twofold exact_sum(double a, double b) {
  const double sum = a + b;
  return {sum, (a - sum) + b};
}

GS_HD twofold product(twofold a, twofold b) {
  const twofold p = exact_product(a.high, b.high);
  return {p.high, p.low + fma(a.high, b.low, a.low * b.high)};
}

GS_HD twofold product(double a, twofold b) {
  const twofold p = exact_product(a, b.high);
  return {p.high, fma(a, b.low, p.low)};
}

GS_HD uint64_t to_bits(double x) { return __builtin_bit_cast(uint64_t, x); }
GS_HD double from_bits(uint64_t bits) { return __builtin_bit_cast(double, bits); }

// As select, but by masks: gcc vectorises no loop with a select whose condition is the same throughout, such
// as one on the base of a decay.
GS_HD double pick(bool condition, double yes, double no) {
  const uint64_t mask = -uint64_t(condition);
  return from_bits((to_bits(yes) & mask) | (to_bits(no) & ~mask));
}

// x within -limit and limit; NaN stays.
GS_HD double clamp(double x, double limit) { return pick(x > limit, limit, pick(x < -limit, -limit, x)); }

template <class V, class T>
GS_HD V polynomial(V, T constant) {
  return V(constant);
}
template <class V, class T, class... Rest>
GS_HD V polynomial(V x, T constant, Rest... rest) {
  return fma(x, polynomial(x, rest...), V(constant));
}

// The nearest integer, ties to even. Adding 2^52 pushes the fraction out of the significand.
GS_HD double round(double x) {
  const double size = abs(x), whole = (size + 0x1p52) - 0x1p52;
  return pick(size < 0x1p52, pick(x < 0, -whole, whole), x);
}

// The same in two operations, for a size below 2^51.
GS_HD double round_small(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

// 2^k for an integer k from -1022 to 1023: in the sum, k + 1023 are the lowest bits.
GS_HD double power_of_two(double k) { return from_bits(to_bits(k + (0x1.8p52 + 1023)) << 52); }

// 2^(high + low), for a low that is small compared with high or with 1.
GS_HD double exp2(twofold x) {
  const double high = clamp(x.high, 1100);
  const double low = pick(high == x.high, x.low, 0.0);
  const double k = round_small(high), f = high - k;
  // 2^f = 1 + f ln2 + f^2 q(f); f ln2 in twofold keeps the rounding error far below half an ulp.
  const twofold linear = product(f, {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56});
  const double rest =
      f * f *
      polynomial(f, 0x1.ebfbdff82c58fp-3, 0x1.c6b08d704a0c2p-5, 0x1.3b2ab6fba4e78p-7, 0x1.5d87fe78a5276p-10,
                 0x1.430912f86bf52p-13, 0x1.ffcbfc670dcd4p-17, 0x1.62c022401b97dp-20, 0x1.b524fae627834p-24,
                 0x1.e4cf1cd08d4b8p-28, 0x1.e9d3fe3952179p-32, 0x1.c48f769ad2c46p-36);
  const twofold sum = exact_sum(1, linear.high);
  const double of_low = low * 0x1.62e42fefa39efp-1 * (sum.high + rest);
  const double value = sum.high + (sum.low + (linear.low + (rest + of_low)));
  // In two steps, because 2^k itself may be out of range where the result is not.
  const double half = round_small(k * 0.5);
  const double scaled = value * power_of_two(half) * power_of_two(k - half);
  return pick(x.high != x.high, x.high, scaled);
}

// log2(x) - less to about 2^-65 of its value, for a normal x > 0 and an integer `less`.
GS_HD twofold log2_normal(double x, double less) {
  const uint64_t bits = to_bits(x);
  // x = 2^e m with m from sqrt(1/2) to sqrt(2): the exponent field once the significand of sqrt(2) carries.
  const uint64_t field = (bits + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd)) >> 52;
  const double e = from_bits(field | 0x4330000000000000) - (0x1p52 + 1023) - less;
  const double m1 = from_bits(bits - (field << 52) + 0x3ff0000000000000) - 1;
  // log2(m) = 2/ln2 atanh(s) with s = (m - 1) / (m + 1), and atanh(s) = s + s^3 (1/3 + s^2 r(s^2)).
  const twofold d = exact_sum(2, m1);
  const double inverse = 1 / d.high, quotient = m1 * inverse;
  const twofold s = {quotient, (fma(-quotient, d.high, m1) - quotient * d.low) * inverse};
  const twofold z = product(s, s);
  const double r = polynomial(z.high, 0x1.999999999999ap-3, 0x1.2492492492522p-3, 0x1.c71c71c6ea871p-4,
                              0x1.745d177aad02ap-4, 0x1.3b1395c881220p-4, 0x1.1118c9ee5b8a4p-4,
                              0x1.df7c5bc7c7563p-5, 0x1.e032e4d8436a1p-5);
  twofold bracket = exact_sum(0x1.5555555555555p-2, z.high * r);
  bracket.low += 0x1.5555555555555p-56;
  const twofold cubic = product(product(s, z), bracket);
  twofold atanh = exact_sum(s.high, cubic.high);
  atanh.low += cubic.low + s.low;
  const twofold fraction = product(atanh, {0x1.71547652b82fep+1, 0x1.777d0ffda0d24p-55});
  const twofold sum = exact_sum(e, fraction.high);
  return exact_sum(sum.high, sum.low + fraction.low);
}

// For any finite x > 0.
GS_HD twofold log2_twofold(double x) {
  const bool subnormal = x < 0x1p-1022;
  return log2_normal(pick(subnormal, x * 0x1p54, x), pick(subnormal, 54.0, 0.0));
}

// The value of a logarithm at the ends of its range; `inside` is its value between them.
GS_HD double log_edges(double x, double inside) {
  const double infinity = __builtin_inf();
  const double ends = pick(x == 0, -infinity, pick(x == infinity, infinity, inside));
  return pick((x < 0) | (x != x), __builtin_nan(""), ends);
}

GS_HD double exp2(double x) { return exp2(twofold{x, 0}); }

GS_HD double exp(double x) { return exp2(product(x, {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56})); }

GS_HD double log2(double x) { return log_edges(x, log2_twofold(x).high); }

GS_HD double log(double x) {
  const twofold e = product(log2_twofold(x), {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56});
  return log_edges(x, e.high + e.low);
}

// IEEE's pow, edges included (pow(x, 0) is 1 even for NaN), except that pow(1, NaN) is NaN.
GS_HD double pow(double x, double y) {
  const double infinity = __builtin_inf(), size = abs(x);
  const twofold inside = log2_twofold(size);
  const bool edge = (size == 0) | (size == infinity) | (size != size);
  const twofold l = {log_edges(size, inside.high), pick(edge, 0.0, inside.low)};
  const double finite = clamp(y, 0x1.fffffffffffffp+1023);  // as 0 times infinity is NaN, but 1^infinity is 1
  const double magnitude = exp2(product(finite, l));
  const double half = y * 0.5;
  const bool negative = to_bits(x) >> 63 != 0, integer = round(y) == y, odd = integer & (round(half) != half);
  const double value = pick(negative & odd, -magnitude, magnitude);
  return pick(y == 0, 1.0, pick(negative & !integer & !edge, __builtin_nan(""), value));
}

// base^t for a base of 0 or more: pow without its edges.
GS_HD double growth(double base, double t) {
  return pick(base > 0, exp2(product(t, log2_twofold(base))), pick(t == 0, 1.0, 0.0));
}

// The commonest exponents, as types: a loop that is compiled for one of them does no more than it needs.
struct exponent_one {};
struct exponent_two {};
struct exponent_half {};
GS_HD double raise(double x, exponent_one) { return x; }
GS_HD double raise(double x, exponent_two) { return x * x; }
GS_HD double raise(double x, exponent_half) { return sqrt(x); }

// pow without its edges: x is 0 or a normal number; where it may be 0, y is above 0; where it may be
// negative, y is an integer.
GS_HD double raise(double x, double y) {
  const double size = abs(x), half = y * 0.5;
  const double magnitude = pick(size > 0, exp2(product(y, log2_normal(size, 0))), size);
  return pick((x < 0) & (round(half) != half), -magnitude, magnitude);
}

// Below 0.55 x times a fit; above, 1 - 2 / (e^2x + 1) with the quotient's rounding error put back.
GS_HD double tanh(double x) {
  const double z = x * x;
  const double fit =
      polynomial(z, -0x1.5555555555555p-2, 0x1.1111111110fd9p-3, -0x1.ba1ba1b9f49e6p-5, 0x1.664f487384560p-6,
                 -0x1.226e324ef7265p-7, 0x1.d6d318a012c9ep-9, -0x1.7d95d08f04614p-10, 0x1.34b253ea057a5p-11,
                 -0x1.eb2f1f90d81f4p-13, 0x1.6227bf9d410dfp-14, -0x1.51eb0f790fd4cp-16);
  const double size = abs(clamp(x, 30));  // tanh(30) is 1, and e^60 still has an exact sum with 1
  const twofold sum = exact_sum(exp(2 * size), 1);
  const double quotient = 2 / sum.high;
  const double rest = fma(-quotient, sum.low, fma(-quotient, sum.high, 2)) * quotient * 0.5;
  const twofold difference = exact_sum(1, -quotient);
  const double large = difference.high + (difference.low - rest);
  return pick(size < 0.55, fma(x * z, fit, x), pick(x < 0, -large, large));
}

}  // namespace gradstep::GS_TARGET
