// Cpu: which of the instruction sets that Tercet compiles for this processor and operating system can run.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tercet {

/// Ordered: a processor runs every level up to its own.
enum class CpuLevel {
  portable, ///< the platform's baseline (x86-64: SSE2)
  v3,       ///< AVX2, FMA, F16C, BMI2 (x86-64-v3)
  v4,       ///< AVX-512 F, BW, DQ, VL, CD (x86-64-v4)
};

/// "portable", "v3", "v4": what follows "cpu:" in a target.
std::string_view cpuLevelName(CpuLevel level);
std::optional<CpuLevel> parseCpuLevel(std::string_view name);
/// The highest level that this processor and operating system support; found once. Thread-safe.
CpuLevel detectCpuLevel();
/// The processor's name as the kernel gives it; empty where it gives none.
std::string processorName();

} // namespace tercet
