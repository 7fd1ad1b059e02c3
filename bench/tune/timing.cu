#include "timing.h"

#include <algorithm>
#include <chrono>

namespace gradstep::GS_TARGET::tune {

#if defined(__CUDACC__)

namespace {

using host_clock = std::chrono::steady_clock;

double seconds_since(host_clock::time_point start) {
  return std::chrono::duration<double>(host_clock::now() - start).count();
}

// Keeps the stream busy while the host queues what comes next: the time between two events is the device's
// alone.
__global__ void spin_kernel(long long cycles) {
  const long long start = clock64();
  while (clock64() - start < cycles) {
  }
}
constexpr long long spin_cycles = 4'000'000;  // more than 2 ms, for some 50 launches of 10 us

class event {
 public:
  event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
  event(event&& from) noexcept : event_(std::exchange(from.event_, nullptr)) {}
  event& operator=(event&&) = delete;
  ~event() {
    if (event_) static_cast<void>(cudaEventDestroy(event_));
  }

  void record(cudaStream_t stream) const { check(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  double us_since(const event& start) const {
    float ms = 0;
    check(cudaEventElapsedTime(&ms, start.event_, event_), "cudaEventElapsedTime");
    return 1e3 * double(ms);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

struct lap {
  size_t of;
  event start, end;
};

// One launch of each, in this order, queued at once.
void run_round(const plan& on, const variants& all, std::vector<size_t> order,
               std::vector<std::vector<double>>& us) {
  std::vector<lap> laps;
  for (const size_t k : order) laps.push_back({k, {}, {}});
  const cudaStream_t stream = on.stream().get();
  check(launch(spin_kernel, 1, 1, stream, spin_cycles), "launching spin_kernel");
  for (const lap& each : laps) {
    const variant& one = all[each.of];
    if (one.before) check(one.before(on, stream), one.name.c_str());
    each.start.record(stream);
    check(one.run(on, stream), one.name.c_str());
    each.end.record(stream);
  }
  on.stream().wait("waiting for a round");
  for (const lap& each : laps) us[each.of].push_back(each.end.us_since(each.start));
}

timed summary_of(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const auto at = [&](size_t quarter) { return us[(us.size() - 1) * quarter / 4]; };
  return {at(2), (at(3) - at(1)) / at(2)};
}

}  // namespace

std::vector<timed> time_variants(const plan& on, const variants& all, const std::vector<bool>& chosen,
                                 double seconds, int& rounds) {
  const auto start = host_clock::now();
  std::vector<size_t> order;
  for (size_t k = 0; k < all.size(); ++k)
    if (chosen[k]) order.push_back(k);
  if (order.empty()) throw std::runtime_error("no variant is left to be timed");
  on.reset();
  check(prepare_as_it_is(on, on.stream().get()), "launching prepare_kernel");
  std::vector<std::vector<double>> us(all.size());
  run_round(on, all, order, us);  // not counted
  us.assign(all.size(), {});
  int round = 0;
  for (const double longest = seconds_since(start); round < rounds; ++round) {
    if (round > 0 && seconds_since(start) + longest > seconds) break;
    // Another place in the round and, every other time, another neighbour before it.
    std::rotate(order.begin(), order.begin() + 7 % std::ssize(order), order.end());
    std::reverse(order.begin(), order.end());
    run_round(on, all, order, us);
  }
  rounds = round;
  std::vector<timed> found(all.size());
  for (const size_t k : order) found[k] = summary_of(us[k]);
  return found;
}

#else

std::vector<timed> time_variants(const plan&, const variants&, const std::vector<bool>&, double, int&) {
  throw std::runtime_error("the emulated device has no clock: `tune check` compares bits alone");
}

#endif

}  // namespace gradstep::GS_TARGET::tune
