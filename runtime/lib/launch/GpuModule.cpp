// Which module of an artifact a GPU runs. "sm_90a" runs on 9.0 only, "sm_100f" on its family (10.x), "sm_80" natively on
// 8.x and as PTX on everything later (CUDA C++ Programming Guide, "Compute Capabilities").
#include "tercet/rt/GpuKernel.h"

#include <charconv>
#include <optional>

namespace tercet::rt {
namespace {

struct Architecture {
  int number = 0; ///< 80, 90, 120
  char variant = 0;
  int major() const { return number / 10; }
};

std::optional<Architecture> parseArchitecture(std::string_view name) {
  if (!name.starts_with("sm_"))
    return std::nullopt;
  Architecture architecture;
  auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), architecture.number);
  size_t rest = static_cast<size_t>(name.data() + name.size() - end);
  if (error != std::errc() || rest > 1)
    return std::nullopt;
  architecture.variant = rest == 1 ? *end : 0;
  return architecture;
}

template <typename Image> bool allHave(const TargetModule &module, Image GpuKernelInfo::*image) {
  for (const KernelInfo &kernel : module.kernels)
    if ((kernel.gpu.*image).empty())
      return false;
  return true;
}

/// Higher is better; 0: does not run there.
int rankOf(const TargetModule &module, const GpuProperties &device) {
  std::optional<Architecture> code = parseArchitecture(module.target), own = parseArchitecture(device.architecture);
  if (!code || !own || code->number > own->number)
    return 0;
  bool native = device.runsCubin && allHave(module, &GpuKernelInfo::cubin) && code->major() == own->major();
  bool text = device.runsPtx && allHave(module, &GpuKernelInfo::ptx);
  if (!native && !text)
    return 0;
  constexpr int exact = 3000, sameMajor = 2000, earlier = 1000; // above every architecture's number
  if (code->variant == 'a')
    return code->number == own->number && own->variant == 'a' ? exact + 1 : 0;
  if (code->variant == 'f')
    return code->major() == own->major() ? sameMajor + code->number : 0;
  if (code->number == own->number)
    return exact;
  return (native ? sameMajor : earlier) + code->number;
}

} // namespace

int chooseGpuModule(const Artifact &artifact, const GpuProperties &device) {
  int best = -1, bestRank = 0;
  for (size_t index = 0; index < artifact.modules.size(); ++index)
    if (int rank = rankOf(artifact.modules[index], device); rank > bestRank) {
      best = static_cast<int>(index);
      bestRank = rank;
    }
  return best;
}

} // namespace tercet::rt
