// What the fake driver saw; shared between it and the tests, which find it by dlsym.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct FakeCudaLaunch {
  std::string kernel;
  unsigned grid[3] = {}, threads = 0, shared = 0, cluster = 1;
  void *stream = nullptr;
};
struct FakeCudaMap {
  int type, rank, swizzle;
  std::vector<uint64_t> sizes, strides;
  std::vector<uint32_t> box;
};
struct FakeCudaLog {
  std::vector<FakeCudaLaunch> launches;
  std::vector<FakeCudaMap> maps;
  std::string image; ///< of the last load, as far as its zero byte
  int allocations = 0, synchronizations = 0;
};
