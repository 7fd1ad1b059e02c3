#include "report.h"

#include <cstdio>

namespace gradstep::GS_TARGET::tune {

namespace {

std::string in_words(range us) {
  char text[64];
  std::snprintf(text, sizeof text, "%.0f-%.0f", us.low, us.high);
  return text;
}

}  // namespace

void print_device() {
#if defined(__CUDACC__)
  int device = 0, driver = 0, runtime = 0;
  cudaDeviceProp about = {};
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaGetDeviceProperties(&about, device), "cudaGetDeviceProperties");
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  std::printf("%s: %d processors, %.1f GB, %d MB of L2; CUDA %d, driver for %d\n", about.name,
              about.multiProcessorCount, 1e-9 * double(about.totalGlobalMem), about.l2CacheSize >> 20,
              runtime, driver);
#endif
}

void print_times(const variants& all, const std::vector<outcome>& outcomes, const std::vector<timed>& times) {
  std::printf("%-48s  %9s %6s %7s %7s  %13s %13s  %s\n", "", "us", "spread", "GB/s", "of copy",
              "H100 expected", "H200 expected", "bits");
  const double copy_speed = times[0].us > 0 ? all[0].bytes / times[0].us : 0;  // the first of the yardsticks
  for (size_t k = 0; k < all.size(); ++k) {
    const variant& one = all[k];
    std::printf("%-48s  ", one.name.c_str());
    if (times[k].us == 0) {
      std::printf("%9s %6s %7s %7s", "-", "-", "-", "-");
    } else {
      std::printf("%9.1f %5.1f%%", times[k].us * one.times, 100 * times[k].spread);
      const double speed = one.bytes / times[k].us;
      if (one.bytes > 0)
        std::printf(" %7.0f %7.3f", 1e-3 * speed, copy_speed > 0 ? speed / copy_speed : 0);
      else
        std::printf(" %7s %7s", "-", "-");
    }
    std::printf("  %13s %13s  %s\n", in_words(one.expected.h100).c_str(), in_words(one.expected.h200).c_str(),
                outcomes[k].words.c_str());
  }
}

void print_checks(const variants& all, const std::vector<outcome>& outcomes) {
  for (size_t k = 0; k < all.size(); ++k)
    std::printf("%-48s  %s\n", all[k].name.c_str(), outcomes[k].words.c_str());
}

}  // namespace gradstep::GS_TARGET::tune
