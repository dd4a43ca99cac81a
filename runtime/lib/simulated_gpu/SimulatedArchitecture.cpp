#include "SimulatedArchitecture.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace tercet::rt {
namespace {

constexpr int64_t kib = 1024;
/// Few, so that persistent grids stay small; no result depends on it.
constexpr int64_t multiprocessors = 8;

struct SharedMemory {
  int number;
  int64_t blockKiB, multiprocessorKiB;
};

// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
constexpr SharedMemory table[] = {{80, 163, 164},  {86, 99, 100},  {87, 163, 164},  {88, 99, 100},
                                  {89, 99, 100},   {90, 227, 228}, {100, 227, 228}, {103, 227, 228},
                                  {110, 227, 228}, {120, 99, 100}, {121, 99, 100}};

} // namespace

Result<GpuProperties> simulatedProperties(const std::string &target) {
  constexpr std::string_view prefix = "sim:sm_";
  int number = 0;
  std::string_view digits = std::string_view(target).substr(std::min(prefix.size(), target.size()));
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  std::string_view variant = digits.substr(static_cast<size_t>(end - digits.data()));
  const SharedMemory *found = std::find_if(std::begin(table), std::end(table),
                                           [&](const SharedMemory &entry) { return entry.number == number; });
  if (!target.starts_with(prefix) || error != std::errc() || found == std::end(table) ||
      (!variant.empty() && variant != "a" && variant != "f"))
    return Status::make(Code::unsupportedTarget,
                        "there is no simulated device '{}'; legal are sim:sm_80 and later, such as sim:sm_90a", target);
  GpuProperties properties;
  properties.target = target;
  properties.name = "PTX simulator";
  properties.major = number / 10;
  properties.minor = number % 10;
  properties.architecture = target.substr(4);
  properties.multiprocessors = multiprocessors;
  properties.sharedBytesPerBlock = found->blockKiB * kib;
  properties.sharedBytesPerMultiprocessor = found->multiprocessorKiB * kib;
  properties.driver = "PTX simulator";
  properties.runsPtx = true;
  return properties;
}

} // namespace tercet::rt
