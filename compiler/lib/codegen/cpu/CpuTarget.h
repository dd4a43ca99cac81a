// CpuTarget: what the code generator knows of an instruction set.
#pragma once

#include "../../lowering/cpu/CpuSchedule.h"

#include <string>

namespace tercet::codegen {

struct CpuTarget {
  CpuLevel level;
  int64_t lanes;       ///< f32 per vector register
  int64_t registers;   ///< vector registers
  bool hasHalf;        ///< converts f16 in hardware (F16C)
  bool hasFma;         ///< multiplies and adds with one rounding
  bool hasRound;       ///< rounds to whole numbers (SSE4.1)
  bool hasScalef;      ///< vreduceps and vscalefps (AVX-512)
  std::string name;    ///< "cpu:v4"
  std::string llvmCpu; ///< the psABI level, so that code runs on every processor of the level
};

/// The instruction sets, best first.
std::vector<CpuTarget> cpuTargets();
CpuTarget cpuTarget(CpuLevel level);

} // namespace tercet::codegen
