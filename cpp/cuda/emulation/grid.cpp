#include "cuda/emulation/grid.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/emulation.h"
#include "cuda/emulation/fiber.h"
#include "host/ieee_mode.h"

namespace gradstep::emulation {
namespace {

bool backwards = false;

bool same(const place& a, const place& b) {
  return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

// A place at which threads wait for each other: all that are expected must come, and to the same one.
struct meeting {
  int expected = 0, arrived = 0;
  unsigned turn = 0;  // counts the times that all have come
  place where;
};

struct warp {
  meeting lanes;
  word brought[2][warpSize];  // by turns: a lane may bring the next while others still read
};

struct thread {
  uint3 index = {};
  std::unique_ptr<fiber> body;
  bool done = false;
  const meeting* waits_at = nullptr;
  unsigned turn = 0;
  place where;

  bool can_go_on() const { return !done && !(waits_at && waits_at->turn == turn); }
};

class block {
 public:
  void run(unsigned threads, const std::function<void()>& kernel);
  void meet(meeting& here, const place& where);
  meeting all;
  warp& own_warp() { return warps_[current_->index.x / warpSize]; }
  [[noreturn]] void fail(const char* what, const thread& who, const place& where) const;
  [[noreturn]] void fail(const char* what, const place& where) const { fail(what, *current_, where); }

 private:
  static void repeat(void* self);
  void prepare(unsigned threads);
  void resume(thread& next);

  const std::function<void()>* kernel_ = nullptr;
  thread* current_ = nullptr;
  std::vector<thread> threads_;  // kept with their stacks; the first `count_` are of this launch
  std::vector<warp> warps_;
  unsigned count_ = 0;
};

thread_local block now;

void block::repeat(void* self) {
  block& here = *static_cast<block*>(self);
  for (;;) {
    (*here.kernel_)();
    here.current_->done = true;
    here.current_->body->pause();
  }
}

void block::prepare(unsigned threads) {
  count_ = threads;
  if (threads_.size() < threads) threads_.resize(threads);
  warps_.assign((threads + warpSize - 1) / warpSize, {});
  all = {};
  all.expected = int(threads);
  for (unsigned i = 0; i < threads; ++i) {
    thread& each = threads_[i];
    if (!each.body) each.body = std::make_unique<fiber>(repeat, this);
    each.index = {i, 0, 0};
    each.done = false;
    each.waits_at = nullptr;
    ++warps_[i / warpSize].lanes.expected;
  }
}

void block::resume(thread& next) {
  current_ = &next;
  threadIdx = next.index;
  next.waits_at = nullptr;
  next.body->resume();
}

void block::run(unsigned threads, const std::function<void()>& kernel) {
  kernel_ = &kernel;
  prepare(threads);
  for (bool moved = true; moved;) {
    moved = false;
    for (unsigned i = 0; i < threads; ++i) {
      thread& next = threads_[backwards ? threads - 1 - i : i];
      if (!next.can_go_on()) continue;
      resume(next);
      moved = true;
    }
  }
  for (unsigned i = 0; i < threads; ++i)
    if (!threads_[i].done)
      fail("not every thread comes to where this one waits", threads_[i], threads_[i].where);
}

void block::meet(meeting& here, const place& where) {
  thread& self = *current_;
  if (here.arrived == 0) here.where = where;
  if (!same(where, here.where)) fail("another thread waits elsewhere", where);
  if (++here.arrived == here.expected) {
    here.arrived = 0;
    ++here.turn;
    return;
  }
  self.waits_at = &here;
  self.turn = here.turn;
  self.where = where;
  self.body->pause();
}

void block::fail(const char* what, const thread& who, const place& where) const {
  std::fprintf(stderr, "emulated device: %s: block %u of %u, thread %u of %u, at %s:%u in %s\n", what,
               blockIdx.x, gridDim.x, who.index.x, count_, where.file_name(), where.line(),
               where.function_name());
  std::abort();
}

}  // namespace

void meet_block(const place& where) { now.meet(now.all, where); }

word exchange(unsigned mask, word mine, int from, const place& where) {
  if (mask != ~0u) now.fail("only the mask of a whole warp is known here", where);
  warp& here = now.own_warp();
  word* const brought = here.brought[here.lanes.turn % 2];
  brought[lane()] = mine;
  if (from < 0 || from >= here.lanes.expected) now.fail("there is no such lane", where);
  now.meet(here.lanes, where);
  return brought[from];
}

void set_backwards(bool is_set) { backwards = is_set; }

void run_grid(unsigned blocks, unsigned threads, const std::function<void()>& kernel) {
  const ieee_mode mode;
  gridDim.x = blocks;
  blockDim.x = threads;
  for (unsigned i = 0; i < blocks; ++i) {
    blockIdx.x = backwards ? blocks - 1 - i : i;
    now.run(threads, kernel);
  }
}

}  // namespace gradstep::emulation
