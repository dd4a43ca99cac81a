// Environment: every TERCET_* variable, read once, in one place. No other file calls getenv for them.
#pragma once

#include "tercet/Log.h"

#include <string>
#include <vector>

namespace tercet {

struct Environment {
  std::string cacheDir;                 ///< TERCET_CACHE_DIR; empty: the default directory
  LogLevel logLevel = LogLevel::silent; ///< TERCET_LOG: warn, info or debug, to standard error
  int threads = 0;                      ///< TERCET_THREADS: worker threads, 1..4096; 0: all cores
  std::string nvrtc;                    ///< TERCET_NVRTC: path of the NVRTC library
  std::string dumpDir;                  ///< TERCET_DUMP_DIR: where first calls of kernels are recorded
  std::string database;                 ///< TERCET_DB: the tuning database
  std::vector<std::string> warnings;    ///< unknown TERCET_* names and values that were ignored

  /// From "NAME=value" strings; others than TERCET_* are passed over. Bad values are ignored with a warning.
  static Environment parse(const std::vector<std::string> &variables);
};

/// The process's environment as it was at the first call, which also logs the warnings and obeys TERCET_LOG.
/// Thread-safe.
const Environment &environment();

} // namespace tercet
