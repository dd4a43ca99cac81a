// Reads a bound spec into plain data.
#include "tercet/compiler/SpecInfo.h"

#include "tercet/compiler/Frontend.h"
#include "tercet/dialect/reference/ReadSpec.h"

namespace tercet::compiler {
namespace {

std::string kindName(ir::ParamKind kind) {
  switch (kind) {
  case ir::ParamKind::Float:
    return "f64";
  case ir::ParamKind::Integer:
    return "i64";
  case ir::ParamKind::Keyword:
    return "keyword";
  case ir::ParamKind::Flag:
    return "flag";
  }
  return "";
}

ParameterInfo readParameter(ir::ParamOp param) {
  ParameterInfo info;
  info.name = param.getName().str();
  info.kind = kindName(param.getKind());
  info.isStatic = param.isStatic();
  if (param.isAuto()) {
    info.value = "auto";
    return info;
  }
  switch (param.getKind()) {
  case ir::ParamKind::Float:
    info.number = param.getFloat();
    info.value = fmt::format("{}", info.number);
    break;
  case ir::ParamKind::Integer:
    info.number = static_cast<double>(param.getInteger());
    info.value = fmt::format("{}", param.getInteger());
    break;
  case ir::ParamKind::Keyword:
    info.value = param.getKeyword().str();
    break;
  case ir::ParamKind::Flag:
    info.value = param.getFlag() ? "true" : "false";
    break;
  }
  return info;
}

} // namespace

std::vector<std::string> SpecInfo::inputs() const {
  std::vector<std::string> names = {"q", "k", "v"};
  names.insert(names.end(), program.weights.begin(), program.weights.end());
  for (const reference::Table &table : program.tables)
    names.push_back(table.name);
  return names;
}

std::vector<std::string> SpecInfo::optionalInputs() const {
  std::vector<std::string> names = {"q_len", "k_len"};
  if (classifies())
    names.push_back("classes");
  return names;
}

std::vector<std::string> SpecInfo::outputs() const {
  std::vector<std::string> names = {"o"};
  if (program.hasLse(program.output))
    names.push_back("lse");
  if (classifies())
    names.push_back("classes");
  return names;
}

const ParameterInfo *SpecInfo::find(std::string_view parameter) const {
  for (const ParameterInfo &info : parameters)
    if (info.name == parameter)
      return &info;
  return nullptr;
}

Result<SpecInfo> inspectSpec(const Spec &spec) {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
  SpecInfo info;
  info.name = bound.spec.getSymName().str();
  info.canonicalText = bound.text();
  for (ir::ParamOp param : bound.spec.getBody().getOps<ir::ParamOp>()) {
    info.parameters.push_back(readParameter(param));
    info.parameters.back().isSet = spec.settings.count(info.parameters.back().name) > 0;
  }
  TERCET_TRY(info.program, reference::readSpec(bound.spec));
  return info;
}

std::vector<BuiltinSpecInfo> listBuiltinSpecs() {
  std::vector<BuiltinSpecInfo> infos;
  for (const BuiltinSpec &spec : builtinSpecs())
    infos.push_back({std::string(spec.name), std::string(spec.text), spec.summary()});
  return infos;
}

} // namespace tercet::compiler
