// Frontend: what the library with the compiler has beyond the one without. The libraries differ in which definition of
// `frontend` they link.
#pragma once

#include "tercet/Session.h"

#include <memory>
#include <string>
#include <vector>

namespace tercet::c {

/// Of a spec that parsed, bound and verified.
struct ReadSpec {
  Spec toCompile;                                     ///< with the settings of static parameters only
  std::vector<std::pair<std::string, double>> values; ///< settings of runtime parameters
};

class Frontend {
public:
  virtual ~Frontend() = default;
  virtual std::shared_ptr<Compiler> makeCompiler() const = 0;
  /// A built-in spec, without settings. invalidArgument with the nearest name when there is none.
  virtual Result<Spec> builtin(const std::string &name) const = 0;
  virtual Result<ReadSpec> read(const Spec &spec) const = 0;
  /// JSON, as tercet_specs and tercet_spec_describe promise.
  virtual std::string list() const = 0;
  virtual Result<std::string> describe(const Spec &spec) const = 0;
};

/// Null in the library without the compiler.
const Frontend *frontend();
/// unsupportedTarget there.
Result<const Frontend *> neededFrontend(const char *function);

} // namespace tercet::c
