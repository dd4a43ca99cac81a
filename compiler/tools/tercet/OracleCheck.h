// OracleCheck: outputs of a call against the fp64 oracle, of large calls on seeded rows. For `check`, and for the tuner's
// correctness gate.
#pragma once

#include "CallData.h"

#include "tercet/dialect/reference/Contract.h"
#include "tercet/rt/Workers.h"

namespace tercet::cli {

struct OracleRequest {
  double inputScale = 1; ///< of q and k against unit-variance data
  int64_t rowLimit = 0;  ///< rows to compare; 0: as many as time allows
  uint64_t seed = 0;     ///< of the rows
  bool withGradient = false;
  DType probabilities = DType::f32; ///< what the target rounds them to before they meet V
};

class OracleCheck {
public:
  /// By the numerics contract. Gradients, with which all rows take part, are those among `outputs`.
  Result<reference::Verdict> compare(const LoadedSpec &spec, const CallData &call, const Arguments &outputs,
                                     const OracleRequest &request);
  /// Rows of the last comparison.
  int64_t comparedRows() const { return rows; }

private:
  int64_t rows = 0;
  rt::Workers workers{0};
};

} // namespace tercet::cli
