// tune [check]: times the variants of a step's kernels, and compares their bits; `check` compares bits alone,
// on tensors of odd sizes, in a second or two.
#include <cstdio>
#include <cstring>

#include "run.h"

using namespace gradstep;
using namespace gradstep::GS_TARGET::tune;

int main(int count, char** words) {
  const bool only_checks = count == 2 && std::strcmp(words[1], "check") == 0;
  if (count > 1 && !only_checks) {
    std::fprintf(stderr, "usage: %s [check]\n", words[0]);
    return 2;
  }
  const int bad = run(only_checks ? checked_models() : timed_models(), variants_of, {.times = !only_checks});
  std::printf("\n%s\n", bad ? "some variants are wrong or failed: see above" : "all variants are right");
  return bad ? 1 : 0;
}
