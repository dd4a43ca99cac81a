// tercet specs [NAME]: the built-in specs, or one of them (or a file) with its parameters and its text.
#include "Command.h"
#include "SpecSource.h"

#include <fmt/ranges.h>

namespace tercet::cli {
namespace {

Json parameterJson(const compiler::ParameterInfo &parameter) {
  return {{"name", parameter.name},
          {"kind", parameter.kind},
          {"binds", parameter.isStatic ? "compile" : "launch"},
          {"default", parameter.value}};
}

Json infoJson(const compiler::SpecInfo &info) {
  Json parameters = Json::array();
  for (const compiler::ParameterInfo &parameter : info.parameters)
    parameters.push_back(parameterJson(parameter));
  return {{"name", info.name},
          {"inputs", info.inputs()},
          {"optional_inputs", info.optionalInputs()},
          {"outputs", info.outputs()},
          {"parameters", parameters}};
}

class SpecsCommand final : public Command {
public:
  std::string name() const override { return "specs"; }
  std::string summary() const override { return "list the built-in specs, or print one with its parameters"; }
  void declare(Options &options) override {
    options.text("NAME", spec, "", "a built-in name, a file, or '-'");
    options.json(json);
  }
  Result<ExitCode> run() override { return spec.empty() ? list() : print(); }

private:
  Result<ExitCode> list() {
    Json object = {{"specs", Json::array()}};
    std::string text;
    for (const compiler::BuiltinSpecInfo &builtin : compiler::listBuiltinSpecs()) {
      text += fmt::format("{:<18} {}\n", builtin.name, builtin.summary.substr(0, builtin.summary.find(". ")));
      object["specs"].push_back({{"name", builtin.name}, {"summary", builtin.summary}});
    }
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(text));
    return exitOk;
  }

  Result<ExitCode> print() {
    TERCET_TRY(Spec source, readSpecText(spec));
    TERCET_TRY(compiler::SpecInfo info, compiler::inspectSpec(source));
    if (json) {
      Json object = infoJson(info);
      object["text"] = source.text;
      TERCET_RETURN_IF_ERROR(printJson(object));
      return exitOk;
    }
    std::string text = source.text;
    text += fmt::format("\n// inputs:  {} [{}]\n// outputs: {}\n", fmt::join(info.inputs(), " "),
                        fmt::join(info.optionalInputs(), " "), fmt::join(info.outputs(), " "));
    for (const compiler::ParameterInfo &parameter : info.parameters)
      text += fmt::format("// --set {}={:<{}} {:<7} {}\n", parameter.name, parameter.value,
                          std::max<size_t>(1, 24 - parameter.name.size()), parameter.kind,
                          parameter.isStatic ? "static: another value compiles"
                                             : "runtime: another value compiles nothing");
    TERCET_RETURN_IF_ERROR(printText(text));
    return exitOk;
  }

  std::string spec;
  bool json = false;
};

} // namespace

std::unique_ptr<Command> makeSpecsCommand() { return std::make_unique<SpecsCommand>(); }

} // namespace tercet::cli
