// Angles: the same promises as transcendental.h.
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET {

// cos(pi x), exact where the result is 0, 1 or -1.
GS_HD double cospi(double x) {
  const double turn = abs(x - 2 * round(x * 0.5));  // from 0 to 1, exactly
  const bool sine = (turn > 0.25) & (turn < 0.75);
  const double u = pick(sine, 0.5 - turn, pick(turn > 0.5, 1 - turn, turn));
  const twofold z = exact_product(u, u);
  const twofold square = product(z, {0x1.3bd3cc9be45dep+2, 0x1.692b71366cc04p-52});  // (pi u)^2 / 2
  const double c = polynomial(z.high, 0x1.03c1f081b5ac4p+2, -0x1.55d3c7e3cbd74p+0, 0x1.e1f50688302c5p-3,
                              -0x1.a6d1f0ab7905cp-6, 0x1.f9cfc07738157p-10, -0x1.b38340f56931fp-14);
  const twofold sum = exact_sum(1, -square.high);
  const double cosine = sum.high + (sum.low - square.low + z.high * z.high * c);
  const twofold angle = product(u, {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53});
  const double s = polynomial(z.high, -0x1.4abbce625be52p+2, 0x1.466bc6775a476p+1, -0x1.32d2cce500387p-1,
                              0x1.50783208843ebp-4, -0x1.e3027dea82bd7p-8, 0x1.e4a9d9166f052p-12);
  const double sine_value = angle.high + (angle.low + u * z.high * s);
  return pick(sine, sine_value, pick(turn > 0.5, -cosine, cosine));
}

// The q of atan(t) = t + t^3 q(t^2) for t from 0 to 1, to the precision of the second argument's type.
template <class V>
GS_HD V arctangent_rest(V z, float) {
  return polynomial(z, -0x1.555556p-2f, 0x1.999956p-3f, -0x1.248952p-3f, 0x1.c62cdap-4f, -0x1.6dd8fep-4f,
                    0x1.2006f8p-4f, -0x1.9115a4p-5f, 0x1.aefb2cp-6f, -0x1.2ba6b6p-7f, 0x1.86406cp-10f);
}
template <class V>
GS_HD V arctangent_rest(V z, double) {
  return polynomial(z, -0x1.5555555555555p-2, 0x1.9999999999620p-3, -0x1.24924924753ecp-3,
                    0x1.c71c71bb00a6cp-4, -0x1.745d15ee35819p-4, 0x1.3b1399d1dcdc7p-4, -0x1.110fff599e4d2p-4,
                    0x1.e1d0239d392a6p-5, -0x1.aebbb1647a168p-5, 0x1.841dcf603a209p-5, -0x1.5d02278205cc7p-5,
                    0x1.3328700bb8169p-5, -0x1.00390504e9f2fp-5, 0x1.843f4bca23369p-6, -0x1.fd0e4de8fed90p-7,
                    0x1.123baedb61abdp-7, -0x1.ca3677db66678p-9, 0x1.1325b2f8964bep-10,
                    -0x1.a359b96a4eee4p-13, 0x1.2f07811f9f6e9p-16);
}

// atan2(y, x) for x >= 0: the angle of the point (x, y), from -pi/2 to pi/2, within 2 ulp. For rules: V is a
// T or a register of them. As atan2 it is 0 at (0, 0) and pi/4 where both are infinite; NaN stays.
template <class T, class V>
GS_HD V angle(V y, V x) {
  const V height = abs(y), small = minimum(height, x), large = maximum(height, x);
  const V t = select(small < large, small / large, select(large > V(0), V(1), large));
  const V z = t * t;
  const V flat = fma(t * z, arctangent_rest(z, T(0)), t);
  const V upward = select(height > x, V(T(0x1.921fb54442d18p+0)) - flat, flat);
  return select(y < V(0), -upward, upward);
}

}  // namespace gradstep::GS_TARGET
