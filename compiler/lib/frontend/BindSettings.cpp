// Settings: parsed by the kind of the parameter that they name.
#include "BindSettings.h"

#include "tercet/Spelling.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Status unknownParameter(ir::SpecOp spec, const std::string &name) {
  std::vector<std::string> known;
  for (ir::ParamOp param : spec.getBody().getOps<ir::ParamOp>())
    known.push_back(param.getName().str());
  return Status::make(Code::invalidSpec, "spec '{}' has no parameter '{}'{}; its parameters are: {}",
                      spec.getSymName().str(), name, suggestion(name, known),
                      known.empty() ? "none" : llvm::join(known, ", "));
}

/// The value's text as an attribute of the parameter's kind; null when it is not one.
static Attribute parseValue(ir::ParamOp param, const std::string &text) {
  Builder builder(param.getContext());
  StringRef trimmed = StringRef(text).trim();
  switch (param.getKind()) {
  case ir::ParamKind::Float: {
    double number = 0;
    if (trimmed == "auto" && !param.isStatic())
      return builder.getUnitAttr();
    if (trimmed.empty() || trimmed.getAsDouble(number) || !std::isfinite(number))
      return {};
    return builder.getF64FloatAttr(number);
  }
  case ir::ParamKind::Integer: {
    int64_t number = 0;
    return trimmed.getAsInteger(10, number) ? Attribute() : builder.getI64IntegerAttr(number);
  }
  case ir::ParamKind::Flag:
    if (trimmed == "true" || trimmed == "1")
      return builder.getBoolAttr(true);
    return trimmed == "false" || trimmed == "0" ? Attribute(builder.getBoolAttr(false)) : Attribute();
  case ir::ParamKind::Keyword:
    return trimmed.empty() || trimmed.size() > 64 ? Attribute() : builder.getStringAttr(trimmed);
  }
  return {};
}

static std::string legalValues(ir::ParamOp param) {
  switch (param.getKind()) {
  case ir::ParamKind::Float:
    return param.isStatic() ? "a finite number" : "a finite number, or auto where the spec allows it";
  case ir::ParamKind::Integer:
    return "an integer";
  case ir::ParamKind::Flag:
    return "true or false";
  case ir::ParamKind::Keyword:
    return "a keyword";
  }
  return "";
}

Status compiler::bindSettings(ir::SpecOp spec, const std::map<std::string, std::string> &settings) {
  for (const auto &[name, text] : settings) {
    ir::ParamOp param = spec.lookupParam(name);
    if (!param)
      return unknownParameter(spec, name);
    Attribute value = parseValue(param, text);
    if (!value)
      return Status::make(Code::invalidSpec, "parameter '{}' of spec '{}' is '{}'; expected {}", name,
                          spec.getSymName().str(), text, legalValues(param));
    param.setValueAttr(value);
  }
  return {};
}
