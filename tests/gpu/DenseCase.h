// The dense spec of the built-in library, loaded for a test, and its way through the CUDA target.
#pragma once

#include "tercet/compiler/cuda/EmitCuda.h"

#include <string>

namespace tercet::test {

/// A context with dialect/specs/dense.mlir in it; other text may replace the file's.
class DenseCase {
public:
  explicit DenseCase(const std::string &specText = {});
  ~DenseCase();

  mlir::MLIRContext &context();
  ir::SpecOp spec();
  Result<EmitResult> emit(const std::string &target, int64_t headDim, const std::string &stage,
                          DType dtype = DType::bf16, int64_t valueDim = 0);
  /// The text of a stage; fails the test where there is none.
  std::string text(const std::string &target, int64_t headDim, const std::string &stage, DType dtype = DType::bf16,
                   int64_t valueDim = 0);

private:
  struct State;
  std::unique_ptr<State> state;
};

/// How often `part` occurs in `text`.
int countOf(const std::string &text, const std::string &part);

} // namespace tercet::test
