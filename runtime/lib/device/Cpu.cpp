// CPU level by cpuid and XGETBV: a feature counts only when the operating system saves its registers too.
#include "tercet/Cpu.h"

#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#include <cstdint>
#include <initializer_list>
#endif

namespace tercet {
namespace {

#if defined(__x86_64__)
struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf leaf(uint32_t number) {
  CpuidLeaf result;
  __get_cpuid_count(number, 0, &result.eax, &result.ebx, &result.ecx, &result.edx);
  return result;
}

bool has(uint32_t word, std::initializer_list<int> bits) {
  for (int bit : bits)
    if (!(word >> bit & 1))
      return false;
  return true;
}

uint64_t enabledState() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

CpuLevel detect() {
  constexpr int fma = 12, movbe = 22, osxsave = 27, avx = 28, f16c = 29;                  // leaf 1, ecx
  constexpr int lzcnt = 5;                                                                // leaf 0x80000001, ecx
  constexpr int bmi1 = 3, avx2 = 5, bmi2 = 8;                                             // leaf 7, ebx
  constexpr int avx512f = 16, avx512dq = 17, avx512cd = 28, avx512bw = 30, avx512vl = 31; // leaf 7, ebx
  constexpr uint64_t ymmState = 0x6, zmmState = 0xe6;                                     // XCR0
  CpuidLeaf basic = leaf(1), extended = leaf(7), additional = leaf(0x80000001);
  if (!has(basic.ecx, {fma, movbe, osxsave, avx, f16c}) || !has(extended.ebx, {bmi1, avx2, bmi2}) ||
      !has(additional.ecx, {lzcnt}))
    return CpuLevel::portable;
  uint64_t state = enabledState();
  if ((state & ymmState) != ymmState)
    return CpuLevel::portable;
  if (!has(extended.ebx, {avx512f, avx512dq, avx512cd, avx512bw, avx512vl}) || (state & zmmState) != zmmState)
    return CpuLevel::v3;
  return CpuLevel::v4;
}
#else
CpuLevel detect() { return CpuLevel::portable; }
#endif

} // namespace

std::string_view cpuLevelName(CpuLevel level) {
  switch (level) {
  case CpuLevel::portable:
    return "portable";
  case CpuLevel::v3:
    return "v3";
  case CpuLevel::v4:
    return "v4";
  }
  return "unknown";
}

std::optional<CpuLevel> parseCpuLevel(std::string_view name) {
  for (CpuLevel level : {CpuLevel::portable, CpuLevel::v3, CpuLevel::v4})
    if (cpuLevelName(level) == name)
      return level;
  return std::nullopt;
}

CpuLevel detectCpuLevel() {
  static const CpuLevel level = detect();
  return level;
}

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "";
}

} // namespace tercet
