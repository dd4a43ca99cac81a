// What the compiler adds to the C interface: built-in specs by name, specs described, and settings told apart by what they cost.
#include "Frontend.h"

#include "tercet/Jit.h"
#include "tercet/Spelling.h"
#include "tercet/compiler/SpecInfo.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace tercet::c {
namespace {

using Json = nlohmann::ordered_json;

class LibraryFrontend final : public Frontend {
public:
  std::shared_ptr<Compiler> makeCompiler() const override { return tercet::makeCompiler(); }

  Result<Spec> builtin(const std::string &name) const override {
    std::vector<std::string> names;
    for (compiler::BuiltinSpecInfo &info : compiler::listBuiltinSpecs()) {
      if (info.name == name)
        return Spec{std::move(info.text), fmt::format("<built-in {}>", name), {}};
      names.push_back(std::move(info.name));
    }
    return Status::make(Code::invalidArgument, "there is no built-in spec '{}'; there are {}{}", name,
                        fmt::join(names, ", "), suggestion(name, names));
  }

  Result<ReadSpec> read(const Spec &spec) const override {
    ReadSpec result{spec, {}};
    if (spec.settings.empty()) // the compiler will read it, once
      return result;
    TERCET_TRY(compiler::SpecInfo info, compiler::inspectSpec(spec));
    for (const compiler::ParameterInfo &parameter : info.parameters) {
      if (!parameter.isSet || parameter.isStatic)
        continue;
      result.toCompile.settings.erase(parameter.name);
      if (parameter.value != "auto") // left to the kernel
        result.values.emplace_back(parameter.name, parameter.number);
    }
    return result;
  }

  std::string list() const override {
    Json array = Json::array();
    for (const compiler::BuiltinSpecInfo &info : compiler::listBuiltinSpecs())
      array.push_back({{"name", info.name}, {"summary", info.summary}});
    return array.dump();
  }

  Result<std::string> describe(const Spec &spec) const override {
    TERCET_TRY(compiler::SpecInfo info, compiler::inspectSpec(spec));
    Json parameters = Json::array();
    for (const compiler::ParameterInfo &parameter : info.parameters)
      parameters.push_back({{"name", parameter.name},
                            {"kind", parameter.kind},
                            {"binds", parameter.isStatic ? "compile" : "launch"},
                            {"value", parameter.value}});
    return Json{{"name", info.name},         {"inputs", info.inputs()},  {"optional_inputs", info.optionalInputs()},
                {"outputs", info.outputs()}, {"parameters", parameters}, {"text", spec.text}}
        .dump();
  }
};

} // namespace

const Frontend *frontend() {
  static const LibraryFrontend instance;
  return &instance;
}

} // namespace tercet::c
