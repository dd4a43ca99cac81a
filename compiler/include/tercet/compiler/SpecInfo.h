// SpecInfo: what a spec asks of its caller, without a line of MLIR: arguments, parameters, outputs, and the program
// that the oracle evaluates. For the command line and for bindings.
#pragma once

#include "tercet/Session.h"
#include "tercet/Status.h"
#include "tercet/dialect/reference/Program.h"

#include <string>
#include <vector>

namespace tercet::compiler {

struct ParameterInfo {
  std::string name;
  std::string kind;      ///< "f64", "i64", "keyword" or "flag"
  std::string value;     ///< the bound value as text: the default unless a setting says otherwise; "auto" for auto
  bool isStatic = false; ///< static: another value is another kernel; runtime: a launch scalar
  bool isSet = false;    ///< by a setting
  double number = 0;     ///< of f64 and i64 that are not auto
};

struct SpecInfo {
  std::string name;
  std::string canonicalText; ///< equal programs print equally
  std::vector<ParameterInfo> parameters;
  reference::Program program;

  /// q, k, v, the weights and the tables.
  std::vector<std::string> inputs() const;
  /// q_len, k_len and, with a classification, classes.
  std::vector<std::string> optionalInputs() const;
  /// o and, where the spec has them, lse and classes.
  std::vector<std::string> outputs() const;
  bool classifies() const { return program.selection.has_value(); }
  const ParameterInfo *find(std::string_view parameter) const;
};

/// Parses, binds and verifies; invalidSpec as loadSpec (Frontend.h).
Result<SpecInfo> inspectSpec(const Spec &spec);

/// A built-in spec's name, its text and the sentence at its head.
struct BuiltinSpecInfo {
  std::string name, text, summary;
};
std::vector<BuiltinSpecInfo> listBuiltinSpecs();

} // namespace tercet::compiler
