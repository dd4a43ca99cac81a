// Builtin: functions of the runtime that plan nodes call by name. Argument blocks: tercet/Builtins.h.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/Cpu.h"

#include <cstddef>
#include <string_view>

namespace tercet::rt {

/// One work item of a builtin.
struct BuiltinCall {
  const int64_t *slots;
  int64_t item0, item1, item2;
  char *scratch;              ///< scratchBytes(slots) bytes of this worker, 64-byte aligned
  const CpuFunction *kernels; ///< the compiled functions that the node names
  char *kernelScratch;        ///< what those functions ask for
};

/// The class map of a group, as an argument block describes it.
struct ClassMapView {
  const int8_t *classes;
  int64_t strideB, strideH, strideI;
  const int32_t *qLengths, *kLengths;
  int64_t headsKV, headsPerKV, tokensQ, tokensK, firstPair, blockQ, blockK, blocksQ, blocksK;
  const uint8_t *rules = nullptr; ///< what a mask says of the group's blocks; null: no mask
};

struct Builtin {
  std::string_view name;
  size_t slotCount;
  size_t kernelCount;
  void (*run)(const BuiltinCall &call);
  /// Bytes of scratch per worker, from the block's integers alone (its pointers may be null); null: none.
  int64_t (*scratchBytes)(const int64_t *slots) = nullptr;
  /// For builtins that read or write the resolved class map: where to find it; null for others.
  ClassMapView (*classMap)(const int64_t *slots) = nullptr;
};

/// The CPU level that builtins run at: this machine's, unless a test or benchmark asked for a lower one. Results are
/// the same bits at every level.
CpuLevel builtinLevel();
/// At most this machine's level is used, whatever is asked.
void limitBuiltinLevel(CpuLevel level);

/// Null when there is none of this name.
const Builtin *findBuiltin(std::string_view name);

} // namespace tercet::rt
