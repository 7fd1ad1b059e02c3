// The tuning program's own parts on the emulated device; the argument says which: the models that it times,
// or variants that are wrong, fail, end their process or hang.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tune/run.h"

using namespace gradstep;
using namespace gradstep::emulated;
using namespace gradstep::emulated::tune;

namespace {

__global__ void flip_a_bit(char* byte) { *byte ^= 1; }
__global__ void abort_process() { std::abort(); }
__global__ void hang() {
  for (volatile bool forever = true; forever;) {
  }
}
__global__ void do_nothing() {}

const char* update_and_flip(const plan& on, cudaStream_t stream) {
  if (const char* error = update_as_it_is(on, stream)) return error;
  return launch(flip_a_bit, 1, 1, stream, on.array(2).data() + on.array(2).size() - 1);
}
const char* launch_too_many_threads(const plan&, cudaStream_t stream) {
  return launch(do_nothing, 1, 2048, stream);
}
const char* launch_abort(const plan&, cudaStream_t stream) { return launch(abort_process, 1, 1, stream); }
const char* launch_hang(const plan&, cudaStream_t stream) { return launch(hang, 1, 1, stream); }
const char* launch_nothing(const plan&, cudaStream_t stream) { return launch(do_nothing, 1, 1, stream); }

variants faulty(const plan&) {
  return {{"one bit off", 0, {}, update_and_flip, update_as_it_is},
          {"too many threads", 0, {}, launch_too_many_threads, update_as_it_is},
          {"aborts", 0, {}, launch_abort, update_as_it_is},
          {"writes nothing", 0, {}, launch_nothing, update_as_it_is},
          {"hangs", 0, {}, launch_hang, update_as_it_is},
          {"writes what it must not", 0, {}, update_as_it_is},
          {"no reference", 0, {}, launch_nothing, launch_nothing},
          {"as it is", 0, {}, update_as_it_is, update_as_it_is}};
}

int print_models() {
  for (const model& each : timed_models()) {
    std::printf("%s:", each.name.c_str());
    for (const int64_t size : each.sizes) std::printf(" %lld", static_cast<long long>(size));
    std::printf("\n");
  }
  return 0;
}

}  // namespace

int main(int, char** words) {
  if (std::string(words[1]) == "models") return print_models();
  const model tiny = {"tiny", dtype::f32, {5, 4097}};
  return run({tiny, {"tiny again", dtype::f32, {3}}}, faulty, {.times = false, .check_seconds = 1});
}
