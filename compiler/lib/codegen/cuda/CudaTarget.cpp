// The table of architectures.
#include "tercet/compiler/cuda/CudaTarget.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace tercet::compiler {

namespace {

constexpr int64_t kib = 1024;

struct Architecture {
  int number;
  int64_t sharedKiB, sharedKiBPerProcessor;
  const char *variants;
};

// sm_88 is given the shared memory of its smallest relatives: NVRTC knows it, the guide's table does not list it.
constexpr Architecture architectures[] = {
    {80, 163, 164, ""},    {86, 99, 100, ""},    {87, 163, 164, ""},    {88, 99, 100, ""},
    {89, 99, 100, ""},     {90, 227, 228, "a"},  {100, 227, 228, "af"}, {103, 227, 228, "af"},
    {110, 227, 228, "af"}, {120, 99, 100, "af"}, {121, 99, 100, "af"},
};

std::string knownNames() {
  std::string names;
  for (const Architecture &architecture : architectures) {
    names += fmt::format("{}sm_{}", names.empty() ? "" : ", ", architecture.number);
    if (architecture.number == 90)
      names += ", sm_90a";
  }
  return names;
}

} // namespace

bool isCudaTarget(std::string_view name) { return name.starts_with("sm_"); }

Result<CudaTarget> parseCudaTarget(std::string_view name) {
  int number = 0;
  std::string_view digits = name.substr(std::min<size_t>(3, name.size()));
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  std::string_view variant = digits.substr(static_cast<size_t>(end - digits.data()));
  const Architecture *found = std::find_if(std::begin(architectures), std::end(architectures),
                                           [&](const Architecture &entry) { return entry.number == number; });
  bool legalVariant = found != std::end(architectures) &&
                      (variant.empty() || (variant.size() == 1 && std::string_view(found->variants).find(variant[0]) !=
                                                                      std::string_view::npos));
  if (!isCudaTarget(name) || error != std::errc() || !legalVariant)
    return Status::make(Code::unsupportedTarget,
                        "'{}' is not an architecture that Tercet generates CUDA for; there are {}, and the variants "
                        "a and f of sm_100 on",
                        name, knownNames());
  CudaTarget target;
  target.name = std::string(name);
  target.number = number;
  target.variant = variant.empty() ? 0 : variant[0];
  target.sharedBytes = found->sharedKiB * kib;
  target.sharedBytesPerProcessor = found->sharedKiBPerProcessor * kib;
  target.hasWarpgroups = name == "sm_90a";
  return target;
}

} // namespace tercet::compiler
