// The memory bandwidth of a plain kernel on a device: the yardstick for the speed of steps there.
#pragma once

#include <pybind11/cast.h>

#include <vector>

#include "python/device.h"

namespace gradstep {

// Reads and writes back every byte of three arrays and reads every byte of a fourth, without changing one.
class device_read_modify_write {
 public:
  // `engine` is the engine's capsule. The arrays are kept alive.
  device_read_modify_write(const pybind11::capsule& engine, int device, const pybind11::list& written,
                           const pybind11::object& read);

  void run() const;  // on the stream that is the arrays' library's now; waits for nothing

 private:
  char* place(pybind11::handle array);

  device_engine engine_;
  rewritten_arrays arrays_ = {};
  std::vector<pybind11::object> kept_alive_;
};

}  // namespace gradstep
