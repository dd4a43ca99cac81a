// The names of targets (docs/cli.md#targets).
#include "TargetName.h"

#include "tercet/Cpu.h"
#include "tercet/Spelling.h"
#include "tercet/rt/CudaDriver.h"

#include <algorithm>
#include <cctype>

namespace tercet::cli {
namespace {

constexpr const char *legalTargets =
    "cpu, cpu:v4, cpu:v3, cpu:portable, reference, cuda[:N], sim:ARCH, or an architecture such as sm_80 or sm_90a";

bool allDigits(std::string_view text) {
  return !text.empty() && text.size() <= 4 &&
         std::all_of(text.begin(), text.end(), [](unsigned char symbol) { return std::isdigit(symbol); });
}

/// sm_80, sm_90a, sm_120f: the spelling only; whether code can be made for it is the compiler's to say.
bool isArchitecture(std::string_view text) {
  if (!text.starts_with("sm_"))
    return false;
  text.remove_prefix(3);
  if (text.ends_with("a") || text.ends_with("f"))
    text.remove_suffix(1);
  return allDigits(text);
}

} // namespace

Result<TargetName> parseTarget(const std::string &text) {
  using Kind = TargetName::Kind;
  if (text == "reference")
    return TargetName{Kind::reference, text};
  if (text == "cpu" || (text.starts_with("cpu:") && parseCpuLevel(text.substr(4))))
    return TargetName{Kind::cpu, text};
  if (isArchitecture(text))
    return TargetName{Kind::gpuArchitecture, text};
  if (text == "cuda" || (text.starts_with("cuda:") && allDigits(text.substr(5))))
    return TargetName{Kind::cudaDevice, text};
  if (text.starts_with("sim:") && isArchitecture(text.substr(4)))
    return TargetName{Kind::simulator, text};
  return Status::make(
      Code::unsupportedTarget, "there is no target '{}'; legal are {}{}", text, legalTargets,
      suggestion(text, {"cpu", "cpu:v4", "cpu:v3", "cpu:portable", "reference", "cuda", "sm_80", "sm_90a"}));
}

Result<std::vector<TargetName>> parseTargets(const std::string &text) {
  std::vector<TargetName> targets;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    TERCET_TRY(TargetName target, parseTarget(text.substr(begin, end - begin)));
    for (const TargetName &earlier : targets)
      if (earlier.text == target.text)
        return Status::make(Code::invalidArgument, "--target names '{}' twice", target.text);
    targets.push_back(std::move(target));
    begin = end + 1;
  }
  return targets;
}

Status checkRunsHere(const TargetName &target) {
  switch (target.kind) {
  case TargetName::Kind::reference:
    return {};
  case TargetName::Kind::cpu: {
    std::optional<CpuLevel> level = target.text == "cpu" ? CpuLevel::portable : parseCpuLevel(target.text.substr(4));
    if (*level > detectCpuLevel())
      return Status::make(Code::deviceUnavailable, "this processor cannot run {}; its instruction set is cpu:{}",
                          target.text, cpuLevelName(detectCpuLevel()));
    return {};
  }
  case TargetName::Kind::gpuArchitecture:
    return Status::make(Code::unsupportedTarget,
                        "'{}' is an architecture to compile for, no device to run on; legal here are cpu, cpu:v4, "
                        "cpu:v3, cpu:portable, reference, cuda[:N] and sim:{}",
                        target.text, target.text);
  case TargetName::Kind::cudaDevice:
    return rt::openCudaDevice(target.text == "cuda" ? 0 : std::stoi(target.text.substr(5))).takeStatus();
  case TargetName::Kind::simulator:
    return {};
  }
  return Status::make(Code::internal, "a kind of target without a rule");
}

} // namespace tercet::cli
