// SpecSource: the SPEC argument and --set: a file, standard input or a built-in name, with settings.
#pragma once

#include "tercet/compiler/SpecInfo.h"

#include "Options.h"
#include "Output.h"

namespace tercet::cli {

/// The options that name a spec.
struct SpecOptions {
  std::string spec;
  std::vector<std::string> settings;

  void declare(Options &options);
};

/// A spec that parsed, bound and verified with all settings.
struct LoadedSpec {
  compiler::SpecInfo info;
  /// With the settings of static parameters only: what decides the artifact. A runtime setting changes neither it nor
  /// the cache key.
  Spec toCompile;
  /// The settings of runtime parameters, for Arguments::parameters; `auto` is left to the kernel.
  std::vector<std::pair<std::string, double>> runtimeSettings;
  Json settingsJson() const;
};

/// Reads and binds the spec that the options name. invalidArgument when there is no such file or built-in spec (with
/// the nearest name) or a setting is not NAME=VALUE; invalidSpec as inspectSpec.
Result<LoadedSpec> loadSpec(const SpecOptions &options);

/// Binds text that is at hand, with settings; invalidSpec as inspectSpec.
Result<LoadedSpec> bindSpec(Spec spec);

/// --set NAME=VALUE, every name once.
Result<std::map<std::string, std::string>> parseSettings(const std::vector<std::string> &settings);

/// The text behind SPEC, at most 1 MiB, and the name that messages give it.
Result<Spec> readSpecText(const std::string &spec);

} // namespace tercet::cli
