// The tensors of a case.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/list.h"

namespace gradstep::GS_TARGET::tune {

struct model {
  std::string name;
  dtype type;  // of all arrays
  std::vector<int64_t> sizes;

  int64_t elements() const {
    int64_t sum = 0;
    for (const int64_t size : sizes) sum += size;
    return sum;
  }
};

// GPT-2 as `gradstep bench` has it (cases.py): 124 M at a width of 768 and 12 blocks, 1.5 B at 1600 and 48.
inline std::vector<int64_t> gpt2(int64_t width, int blocks) {
  const auto add = [](std::vector<int64_t>& sizes, std::initializer_list<int64_t> more) {
    sizes.insert(sizes.end(), more);
  };
  std::vector<int64_t> sizes = {50257 * width, 1024 * width};
  for (int block = 0; block < blocks; ++block) {
    add(sizes, {width, width, width * 3 * width, 3 * width, width * width, width});
    add(sizes, {width, width, width * 4 * width, 4 * width, 4 * width * width, width});
  }
  add(sizes, {width, width});
  return sizes;
}

// The largest comes last.
inline std::vector<model> timed_models() {
  return {{"GPT-2 124 M, f32", dtype::f32, gpt2(768, 12)},
          {"GPT-2 124 M, bf16", dtype::bf16, gpt2(768, 12)},
          {"GPT-2 XL 1.5 B, f32", dtype::f32, gpt2(1600, 48)}};
}

// Sizes around those of a pack, a tile, a leaf and a chunk.
inline std::vector<model> checked_models() {
  const std::vector<int64_t> sizes = {1, 5, 511, 4096, 4097, 8195, 33001};
  return {{"odd sizes, f32", dtype::f32, sizes}, {"odd sizes, bf16", dtype::bf16, sizes}};
}

}  // namespace gradstep::GS_TARGET::tune
