// PairEvaluator: the values of a region at pairs of one head, op by op (docs/spec.md#regions).
#pragma once

#include "Operands.h"
#include "tercet/dialect/reference/PairProgram.h"

#include <cstdint>
#include <vector>

namespace tercet::reference {

/// What a register holds; which of the two, its op says. Booleans are the integers 0 and 1.
struct PairValue {
  double number = 0;
  int32_t integer = 0;
};

/// The precision of values that depend on the score: f64 in the oracle, f32 in the plain evaluation.
enum class ScorePrecision { f64, f32 };

/// Evaluates one region at pairs of one batch and query head, best in order of rows: what depends on the query alone is kept
/// from one key to the next. Numbers that do not depend on the score are f32 in both precisions, for what they decide is
/// defined in f32. Holds its registers: one thread at a time.
class PairEvaluator {
public:
  PairEvaluator(const Program &program, const PairProgram &pairs, const Operands &operands, int64_t batch, int64_t head,
                ScorePrecision precision = ScorePrecision::f32);
  /// What a score region yields for this score.
  double score(int64_t query, int64_t key, double score);
  /// What the region of a gate yields.
  double factor(int64_t query, int64_t feature) { return score(query, feature, 0); }
  /// What the region of a mask or a block set yields.
  bool holds(int64_t query, int64_t key);

  /// The registers as the last pair left them.
  const std::vector<PairValue> &values() const { return registers; }
  /// The entry that a read took there.
  std::array<int64_t, 4> entryOf(const PairOp &read) const;

private:
  const PairProgram &pairs;
  const Operands &operands;
  std::vector<Tensor> tables; ///< as Program::tables
  std::vector<PairValue> registers;
  std::vector<bool> isF32;               ///< per register
  std::vector<size_t> perQuery, perPair; ///< instructions that a new query, a new key must repeat
  int64_t lastQuery = -1;

  void run(size_t index);
  void moveTo(int64_t query, int64_t key);
  PairValue evaluate(const PairOp &op) const;
  PairValue source(const PairOp &op) const;
  double read(const PairOp &op) const;
};

} // namespace tercet::reference
