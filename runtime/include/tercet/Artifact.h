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

/// What a GPU kernel's launch needs besides its grid, what it costs, and its code.
struct GpuKernelInfo {
  int64_t threads = 0;            ///< of a block; 0: not a GPU kernel
  int64_t clusterSize = 1;        ///< blocks of a cluster, along the first axis of the grid
  int64_t dynamicSharedBytes = 0; ///< of a block
  int64_t staticSharedBytes = 0;
  int64_t registers = 0, spillBytes = 0, stackBytes = 0, codeBytes = 0; ///< as ptxas reports; 0 without a cubin
  double compileMs = 0;
  std::vector<std::string> notes; ///< ptxas notes such as "C7512: .."
  std::vector<uint8_t> cubin;     ///< may be empty; runs on the module's architecture
  std::string ptx;                ///< may be empty where there is a cubin; what the simulator executes
  std::string source;             ///< CUDA C++, may be empty; for people
};

/// A compiled function of the artifact's module. CPU functions have the type CpuFunction below; GPU functions are
/// extern "C" __global__, with one parameter per slot of their node (PlanSlot).
struct KernelInfo {
  std::string name;
  int64_t scratchBytes = 0; ///< CPU: per worker, 64-byte aligned, contents undefined
  std::string schedule;     ///< the schedule as text, for explain
  GpuKernelInfo gpu = {};
};

/// A compiled function of a CPU module runs one work item. slots: the node's argument block.
using CpuFunction = void (*)(const int64_t *slots, int64_t item0, int64_t item1, int64_t item2, char *scratch);

/// A plan for one target with its machine code: for the CPU a shared object (ELF), loaded by the system's loader; for a
/// GPU an image per kernel.
struct TargetModule {
  std::string target; ///< "cpu:v4", "cpu:v3", "cpu:portable", "sm_90a", ...
  Plan plan;
  std::vector<KernelInfo> kernels;
  std::vector<uint8_t> code;        ///< CPU only
  std::vector<std::string> remarks; ///< decisions worth telling: schedules taken and passed over, and why

  bool isGpu() const { return target.starts_with("sm_"); }
};

struct Artifact {
  static constexpr uint32_t formatVersion = 3;

  std::string specName;
  std::string specText;   ///< canonical text of the bound spec
  std::string specDigest; ///< hex XXH3-128 of specText
  std::string compiler;   ///< version and build id
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;
  std::vector<std::pair<std::string, std::string>> staticParameters; ///< name, value as written
  std::string aggregation;           ///< how H_i is formed: "none", "global", "subset-sums"
  std::vector<TargetModule> modules; ///< at least one
  /// The spec's backward, where the artifact holds both directions; `modules` are then the forward that saves for it.
  std::vector<TargetModule> backwardModules;

  /// What all modules have in common: arguments, parameters, classification blocks.
  const PlanSignature &signature() const { return modules.front().plan; }

  /// The backward as an artifact of its own, which a Session loads as any other. invalidArgument where there is none.
  Result<Artifact> backward() const;
  /// Takes in the backward of this program. invalidArgument where it is that of another one, or none.
  Status addBackward(Artifact other);

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
