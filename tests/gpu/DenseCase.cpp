// Loads the dense spec through MLIR's parser.
#include "gpu/DenseCase.h"

#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

namespace tercet::test {

struct DenseCase::State {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

DenseCase::DenseCase(const std::string &specText) : state(std::make_unique<State>()) {
  state->context.loadDialect<ir::TercetDialect, tkern::TkernDialect>();
  mlir::ParserConfig config(&state->context);
  state->module = specText.empty() ? mlir::parseSourceFile<mlir::ModuleOp>("dialect/specs/dense.mlir", config)
                                   : mlir::parseSourceString<mlir::ModuleOp>(specText, config);
  REQUIRE(state->module);
}

DenseCase::~DenseCase() = default;

mlir::MLIRContext &DenseCase::context() { return state->context; }
ir::SpecOp DenseCase::spec() { return *state->module->getOps<ir::SpecOp>().begin(); }

Result<EmitResult> DenseCase::emit(const std::string &target, int64_t headDim, const std::string &stage, DType dtype,
                                   int64_t valueDim) {
  Problem problem;
  problem.headDim = headDim;
  problem.valueDim = valueDim ? valueDim : headDim;
  problem.dtype = dtype;
  problem.target = target;
  return compiler::emitCuda(spec(), problem, stage);
}

std::string DenseCase::text(const std::string &target, int64_t headDim, const std::string &stage, DType dtype,
                            int64_t valueDim) {
  Result<EmitResult> result = emit(target, headDim, stage, dtype, valueDim);
  INFO(target << ", head dimension " << headDim << ": " << (result.ok() ? "" : result.status().message()));
  REQUIRE(result.ok());
  return result->bytes;
}

int countOf(const std::string &text, const std::string &part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

} // namespace tercet::test
