// Finds a spec's text and splits its settings by what they cost: static ones compile, runtime ones do not.
#include "SpecSource.h"

#include "tercet/AtomicFile.h"
#include "tercet/Spelling.h"

#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>

namespace tercet::cli {
namespace {

constexpr size_t specLimit = 1 << 20; // the frontend's own limit: more is refused without reading it

Result<std::string> readStandardInput() {
  std::string text(specLimit + 1, '\0');
  size_t size = std::fread(text.data(), 1, text.size(), stdin);
  if (std::ferror(stdin))
    return Status::make(Code::invalidArgument, "cannot read the spec from standard input");
  if (size > specLimit)
    return Status::make(Code::invalidArgument, "the spec on standard input has more than {} bytes", specLimit);
  text.resize(size);
  return text;
}

} // namespace

Result<std::map<std::string, std::string>> parseSettings(const std::vector<std::string> &settings) {
  std::map<std::string, std::string> parsed;
  for (const std::string &setting : settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == setting.size())
      return Status::make(Code::invalidArgument, "--set is '{}'; it must be NAME=VALUE", setting);
    if (!parsed.emplace(setting.substr(0, equals), setting.substr(equals + 1)).second)
      return Status::make(Code::invalidArgument, "--set gives '{}' twice", setting.substr(0, equals));
  }
  return parsed;
}

void SpecOptions::declare(Options &options) {
  options.text("SPEC", spec, "", "a file, '-' for standard input, or a built-in name (see 'tercet specs')");
  options.repeated("--set", settings, "NAME=VALUE", "set a parameter of the spec; may be repeated");
}

Result<Spec> readSpecText(const std::string &spec) {
  std::vector<std::string> names;
  for (compiler::BuiltinSpecInfo &builtin : compiler::listBuiltinSpecs()) {
    if (builtin.name == spec)
      return Spec{builtin.text, fmt::format("<built-in {}>", spec), {}};
    names.push_back(builtin.name);
  }
  if (spec.empty())
    return Status::make(Code::invalidArgument,
                        "SPEC is missing: a file, '-' for standard input, or a built-in name ({})",
                        fmt::join(names, ", "));
  if (spec == "-") {
    TERCET_TRY(std::string text, readStandardInput());
    return Spec{std::move(text), "<standard input>", {}};
  }
  std::error_code ignored;
  if (!std::filesystem::exists(spec, ignored))
    return Status::make(Code::invalidArgument, "'{}' is neither a file nor a built-in spec; the built-in ones are {}{}",
                        spec, fmt::join(names, ", "), suggestion(spec, names));
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(spec, specLimit));
  return Spec{std::string(bytes.begin(), bytes.end()), spec, {}};
}

Result<LoadedSpec> loadSpec(const SpecOptions &options) {
  TERCET_TRY(Spec spec, readSpecText(options.spec));
  TERCET_TRY(spec.settings, parseSettings(options.settings));
  return bindSpec(std::move(spec));
}

Result<LoadedSpec> bindSpec(Spec spec) {
  LoadedSpec loaded;
  TERCET_TRY(loaded.info, compiler::inspectSpec(spec));
  loaded.toCompile = spec;
  loaded.toCompile.settings.clear();
  for (const compiler::ParameterInfo &parameter : loaded.info.parameters) {
    if (!parameter.isSet)
      continue;
    if (parameter.isStatic)
      loaded.toCompile.settings[parameter.name] = spec.settings[parameter.name];
    else if (parameter.value != "auto")
      loaded.runtimeSettings.emplace_back(parameter.name, parameter.number);
  }
  return loaded;
}

Json LoadedSpec::settingsJson() const {
  Json object = Json::object();
  for (const compiler::ParameterInfo &parameter : info.parameters) {
    if (parameter.kind == "keyword" || parameter.value == "auto")
      object[parameter.name] = parameter.value;
    else if (parameter.kind == "flag")
      object[parameter.name] = parameter.value == "true";
    else if (parameter.kind == "i64")
      object[parameter.name] = static_cast<int64_t>(parameter.number);
    else
      object[parameter.name] = parameter.number;
  }
  return object;
}

} // namespace tercet::cli
