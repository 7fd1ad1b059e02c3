#include "run.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>

#include "check.h"
#include "report.h"
#include "timing.h"

namespace gradstep::GS_TARGET::tune {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Memory that the two processes share.
struct notes {
  static constexpr int limit = 256;
  int checking = -1;  // the variant, if any
  double since = 0;
  char name[128] = {};
  bool left_out[limit] = {};

  void begin(int k, const std::string& called) {
    std::snprintf(name, sizeof name, "%s", called.c_str());
    since = now();
    checking = k;
  }
};

class shared_notes {
 public:
  shared_notes()
      : place_(mmap(nullptr, sizeof(notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (place_ == MAP_FAILED) throw std::runtime_error("mmap: no memory to share with a process");
    new (place_) notes;
  }
  shared_notes(const shared_notes&) = delete;
  ~shared_notes() { munmap(place_, sizeof(notes)); }
  notes& operator*() const { return *static_cast<notes*>(place_); }

 private:
  void* const place_;
};

constexpr int all_well = 0, some_bad = 1, device_lost = 3;

bool there_is_room(const model& of) {
#if defined(__CUDACC__)
  constexpr size_t reserve = size_t(1) << 30;
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  if (plan::bytes_needed(of) + reserve <= free) return true;
  std::printf("skipped: it needs %.1f GB, and of the device's %.1f GB there are %.1f GB free\n",
              1e-9 * double(plan::bytes_needed(of) + reserve), 1e-9 * double(total), 1e-9 * double(free));
  return false;
#else
  static_cast<void>(of);
  return true;
#endif
}

int run_here(const model& of, variants (*variants_for)(const plan&), const options& asked, double seconds,
             notes& told) {
  const double start = now();
  print_device();
  if (!there_is_room(of)) return all_well;
  const plan on(of);
  const variants all = variants_for(on);
  if (all.size() > notes::limit) throw std::runtime_error("more variants than run.cu has notes for");
  checker checks(on);
  std::vector<outcome> outcomes;
  std::vector<bool> chosen;
  bool well = true;
  for (int k = 0; k < int(all.size()); ++k) {
    const variant& one = all[size_t(k)];
    told.begin(k, one.name);
    outcomes.push_back(told.left_out[k] ? outcome{verdict::lost, "LEFT OUT, see above"} : checks.check(one));
    if (outcomes.back().found == verdict::lost && !told.left_out[k]) {
      std::printf("%s: %s\n", one.name.c_str(), outcomes.back().words.c_str());
      return device_lost;
    }
    chosen.push_back(outcomes.back().found == verdict::right || outcomes.back().found == verdict::wrong);
    well &= outcomes.back().found == verdict::right;
  }
  told.checking = -1;
  if (asked.times) {
    int rounds = asked.rounds;
    print_times(all, outcomes, time_variants(on, all, chosen, seconds - (now() - start), rounds));
    std::printf("medians of %d rounds\n", rounds);
  } else {
    print_checks(all, outcomes);
  }
  return well ? all_well : some_bad;
}

int run_guarded(const model& of, variants (*variants_for)(const plan&), const options& asked, double seconds,
                notes& told) {
  try {
    return run_here(of, variants_for, asked, seconds, told);
  } catch (const std::exception& error) {
    std::printf("the case ended: %s\n", error.what());
    told.checking = -1;
    return device_lost;
  }
}

// Its exit status, or below 0 for one that was ended, by itself or by us.
int wait_for(pid_t process, double deadline, const options& asked, const notes& told) {
  int status = 0;
  while (waitpid(process, &status, WNOHANG) == 0) {
    const bool hangs = told.checking >= 0 && now() - told.since > asked.check_seconds;
    if (hangs || now() > deadline) {
      std::printf("%s\n", hangs ? "a check hangs" : "out of time");
      kill(process, SIGKILL);
      waitpid(process, &status, 0);
      return -1;
    }
    usleep(10'000);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// True where all is well.
bool run_apart(const model& of, variants (*variants_for)(const plan&), const options& asked, double seconds) {
  const shared_notes shared;
  notes& told = *shared;
  std::printf("\n== %s: %lld elements in %zu tensors\n", of.name.c_str(),
              static_cast<long long>(of.elements()), of.sizes.size());
  for (const double deadline = now() + seconds;;) {
    told.checking = -1;
    std::fflush(stdout);
    const pid_t process = fork();
    if (process < 0) throw std::runtime_error("fork: no process for a case");
    if (process == 0) {
      const int status = run_guarded(of, variants_for, asked, deadline - now() - 1, told);
      std::fflush(stdout);
      _exit(status);
    }
    const int status = wait_for(process, deadline, asked, told);
    if (status == all_well) {
      for (const bool left_out : told.left_out)
        if (left_out) return false;
      return true;
    }
    if (status == some_bad || told.checking < 0 || now() > deadline) return false;
    std::printf("%s: ends its process; once more without it\n", told.name);
    told.left_out[told.checking] = true;
  }
}

}  // namespace

int run(const std::vector<model>& cases, variants (*variants_for)(const plan&), const options& asked) {
  const double deadline = now() + asked.seconds;
  int bad = 0;
  for (size_t k = 0; k < cases.size(); ++k)
    bad += !run_apart(cases[k], variants_for, asked, (deadline - now()) / double(cases.size() - k));
  return bad;
}

}  // namespace gradstep::GS_TARGET::tune
