// The memory bandwidth of a plain loop: the yardstick for the speed of steps.
#pragma once

#include <pybind11/cast.h>

#include <cstdint>
#include <vector>

namespace gradstep {

struct array_view;

bool is_contiguous(const array_view& view);  // in the order of its dimensions, without gaps

// Reads and writes back every byte of some arrays and reads every byte of others, without changing one. It
// knows nothing of rules, dtypes or plans.
class read_modify_write {
 public:
  // For each tensor a pair of lists: the arrays to write and those to read only, all of one size. They are
  // kept alive, and read where they are now.
  explicit read_modify_write(const pybind11::list& tensors);

  void run(int threads) const;

 private:
  struct tensor_arrays {
    std::vector<unsigned char*> written, read;
    int64_t bytes = 0;
  };
  struct piece {
    size_t tensor;
    int64_t first, last;
  };
  struct sweep;

  void add(const pybind11::tuple& lists);
  std::vector<unsigned char*> addresses(const pybind11::list& arrays, bool written, int64_t& bytes);
  unsigned char visit(const piece& part, unsigned char mask) const;

  std::vector<tensor_arrays> tensors_;
  std::vector<piece> pieces_;
  std::vector<pybind11::object> kept_alive_;
  int64_t bytes_ = 0;
};

}  // namespace gradstep
