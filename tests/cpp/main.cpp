// Runs the tests whose names contain the argument, or all without one. The exit status is 0 where all pass.
#include <exception>
#include <iostream>

#include "check.h"
#include "host/threads.h"

namespace {

bool passes(const checks::test& each) {
  const int before = checks::failures;
  checks::situation.clear();
  try {
    each.run();
  } catch (const std::exception& error) {
    checks::fail(each.name.c_str(), 0, std::string("threw ") + error.what());
  }
  return checks::failures == before;
}

}  // namespace

// For ThreadSanitizer: a race ends the run.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "halt_on_error=1"; }

int main(int argc, char** argv) {
  gradstep::watch_forks();
  const std::string part = argc > 1 ? argv[1] : "";
  int ran = 0, failed = 0;
  for (const checks::test& each : checks::tests()) {
    if (each.name.find(part) == std::string::npos) continue;
    ++ran;
    if (passes(each)) continue;
    ++failed;
    std::cout << "FAILED " << each.name << std::endl;
  }
  std::cout << ran << " tests, " << failed << " failed" << std::endl;
  return ran == 0 || failed > 0;
}
