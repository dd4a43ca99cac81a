// Frontend: from spec text and settings to one verified, bound tercet.spec.
#pragma once

#include "tercet/Session.h"
#include "tercet/Status.h"
#include "tercet/dialect/TercetDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tercet::compiler {

/// A context with the tercet dialect (and arith, math for score regions), single-threaded, diagnostics captured by the
/// calls below.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// A module that holds exactly one spec whose parameters carry the settings' values.
struct BoundSpec {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ir::SpecOp spec;
  /// Canonical text: equal programs print equally.
  std::string text() const;
};

/// Parses, checks limits (size, nesting, dialects), binds settings to parameters, verifies. invalidSpec with
/// `file:line:col: error: ..` and a caret line as message; unknown settings name the nearest parameter.
Result<BoundSpec> loadSpec(mlir::MLIRContext &context, const Spec &spec);

/// The built-in specs (dialect/specs), embedded. find: null when there is none with this name.
struct BuiltinSpec {
  std::string_view name, text;
  /// The comment at the head of the file, without slashes.
  std::string summary() const;
};
std::vector<BuiltinSpec> builtinSpecs();
const BuiltinSpec *findBuiltinSpec(std::string_view name);

} // namespace tercet::compiler
