// Artifact: a compiled spec as one value and one relocatable file. The contract between compiler and runtime.
#pragma once

#include "tercet/Plan.h"
#include "tercet/Status.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tercet {

/// A compiled function of the artifact's module. CPU functions have the type CpuFunction (tercet/Kernel ABI below).
struct KernelInfo {
  std::string name;
  int64_t scratchBytes = 0; ///< per worker, 64-byte aligned, contents undefined
  std::string schedule;     ///< the schedule as text, for explain
};

/// A compiled function of a CPU module runs one work item. slots: the node's argument block.
using CpuFunction = void (*)(const int64_t *slots, int64_t item0, int64_t item1, int64_t item2, char *scratch);

/// Machine code for one target: for the CPU a shared object (ELF), loaded by the system's loader.
struct TargetModule {
  std::string target; ///< "cpu:v4", "cpu:v3", "cpu:portable", "sm_90a", ...
  std::vector<KernelInfo> kernels;
  std::vector<uint8_t> code;
};

struct Artifact {
  static constexpr uint32_t formatVersion = 1;

  std::string specName;
  std::string specText;   ///< canonical text of the bound spec
  std::string specDigest; ///< hex XXH3-128 of specText
  std::string compiler;   ///< version and build id
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;
  std::vector<std::pair<std::string, std::string>> staticParameters; ///< name, value as written
  std::string aggregation; ///< how H_i is formed: "none", "global", "cheaper-list"
  Plan plan;
  std::vector<TargetModule> modules;

  /// One file: magic, version, JSON manifest, code sections, XXH3-128 digest of everything before it.
  std::vector<uint8_t> serialize() const;
  /// Refuses (invalidArgument, with what is wrong) truncated, damaged, foreign-version or oversized input. Never
  /// throws.
  static Result<Artifact> parse(std::span<const uint8_t> bytes);
  /// Writes aside and renames: a reader sees the old file or the whole new one.
  Status save(const std::filesystem::path &path) const;
  static Result<Artifact> load(const std::filesystem::path &path);
};

} // namespace tercet
