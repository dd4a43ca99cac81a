// The three instruction sets that code is generated for.
#include "CpuTarget.h"

using namespace tercet;
using namespace tercet::codegen;

std::vector<CpuTarget> codegen::cpuTargets() {
  return {{CpuLevel::v4, 16, 32, true, true, true, true, "cpu:v4", "x86-64-v4"},
          {CpuLevel::v3, 8, 16, true, true, true, false, "cpu:v3", "x86-64-v3"},
          {CpuLevel::portable, 4, 16, false, false, false, false, "cpu:portable", "x86-64"}};
}

CpuTarget codegen::cpuTarget(CpuLevel level) {
  for (const CpuTarget &target : cpuTargets())
    if (target.level == level)
      return target;
  TERCET_CHECK(false, "every level is listed");
}
