// MeasurePack: a pack on this machine's device: the best candidate of every kernel, and a record of it for the tuning database.
#pragma once

#include "Output.h"

#include <filesystem>

namespace tercet::run {

struct MeasureOptions {
  std::filesystem::path pack;
  std::string target;             ///< "cuda:0", "cpu", "sim:sm_90a"
  std::filesystem::path database; ///< the file that the record is added to; empty: none
  double budgetSeconds = 60;      ///< of all kernels together
  bool isolated = false;          ///< every kernel's search in a process of its own: a candidate may hang or end it
};

/// One object: what was measured per kernel, the record, where it went, and `passed`: whether every default is right. A simulated device
/// gives no times: there every candidate is launched once, compared and counted, and no record comes of it. unsupportedTarget where the pack
/// has no code for the target.
Result<cli::Json> measurePack(const MeasureOptions &options);

/// The object as text.
std::string measureText(const cli::Json &object);

} // namespace tercet::run
