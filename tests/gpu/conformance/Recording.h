// Recordings: the outputs of all cases on one device, in a file, and how one recording agrees with another.
#pragma once

#include "Case.h"
#include "tercet/Status.h"

#include <map>
#include <string>
#include <vector>

namespace tercet::conformance {

struct Recording {
  std::string device; ///< "PTX simulator", or what the driver calls the GPU
  std::string driver;
  std::map<std::string, std::vector<uint8_t>> outputs; ///< by case
  std::map<std::string, std::string> failures;         ///< cases that could not run, and why
};

/// Runs every case that the device can run (others are left out), or the one of this name. Cases that fail are recorded as such;
/// on a GPU a failure may take the later ones of the process with it.
Recording record(rt::GpuDevice &device, const std::string &only = {});

/// JSON: {"device", "driver", "outputs": {name: hexadecimal}, "failures": {name: sentence}}.
std::string toJson(const Recording &recording);
Result<Recording> fromJson(const std::string &text);

struct Agreement {
  enum class Kind : uint8_t { equal, close, different, failed, absent };
  Kind kind = Kind::absent;
  std::string detail; ///< the first difference, or why there is none to look at
};
/// How `got` agrees with `expected` on a case, by the case's own measure.
Agreement compare(const Case &given, const Recording &expected, const Recording &got);

} // namespace tercet::conformance
