// Evaluate: what a spec means, in fp64 and plain loops. Independent of every lowering: softmax rows, feature maps and
// selection are written from docs/spec.md and share no code with the compiler or the runtime's builtins.
//
// Cost: one row of one head is O(tokens * head dimension) per region; a class map row needs the block means once, and every
// pair under a mask; a scope wider than a row is selected whole.
#pragma once

#include "tercet/Session.h"
#include "tercet/Status.h"
#include "tercet/dialect/reference/Program.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tercet::reference {

/// One query row of one head.
struct RowIndex {
  int64_t batch = 0, head = 0, row = 0;
  friend bool operator==(const RowIndex &, const RowIndex &) = default;
};

/// Sizes that the tensors of a call agree on.
struct CallSizes {
  int64_t batch = 0, headsQ = 0, headsKV = 0, tokensQ = 0, tokensK = 0, headDim = 0, valueDim = 0;
  int64_t blocksQ = 0, blocksK = 0; ///< 0 without classification
  DType dtype = DType::f32;         ///< of q, k and v: the compute dtype
  TableSizes forTables() const { return {batch, headsQ, headsKV, tokensQ, tokensK, valueDim, blocksQ, blocksK}; }
};

/// Checks the input tensors and runtime parameters of a call; invalidArgument says what was given and what is legal.
/// Input tensors: q, k, v; optional q_len, k_len (i32 [batch]), classes (i8 [batch|1, heads|1, blocksQ, blocksK]), and
/// the program's weights; its tables, which are not optional. Other names are ignored.
Result<CallSizes> checkArguments(const Program &program, const Arguments &arguments);

struct EvaluateOptions {
  /// The rows to evaluate; absent: all of them, in order of batch, head, row.
  std::optional<std::vector<RowIndex>> rows;
  /// false: fp64. true: the plain low-precision evaluation that bounds a kernel's error (docs/numerics.md): fp32
  /// arithmetic on the same inputs, probabilities rounded to `probabilities`. Selection stays fp64.
  bool plain = false;
  /// Which of `plainOrders` plain evaluations: they sum the features of a score from another one on, scale scores or
  /// queries, and take 16-bit probabilities relative to another maximum. None is better than another; they differ by how roundings fall.
  int order = 0;
  static constexpr int plainOrders = 16;
  DType probabilities = DType::f32;
  /// Classes to use instead of selecting, i8 [batch|1, heads|1, blocksQ, blocksK]. Null: the argument `classes` where
  /// it is given, else the program's selection. Borrowed during the call.
  const Tensor *classes = nullptr;
  /// Spreads heads over threads; empty: this thread alone.
  ParallelFor parallelFor;
};

/// One branch at the evaluated rows.
struct BranchRows {
  std::string name;
  std::vector<double> o;   ///< [row][valueDim]
  std::vector<double> lse; ///< [row], natural log, -inf where no key takes part; empty without a softmax branch
};

/// The resolved classes: +1, 0, -1 (negligible, empty, or beyond q_len); `notEvaluated` in rows that no evaluated row is
/// classified with.
struct ClassMap {
  static constexpr int8_t notEvaluated = 127;
  int64_t batch = 0, heads = 0, blocksQ = 0, blocksK = 0;
  std::vector<int8_t> values; ///< [batch][heads][blocksQ][blocksK]
  int64_t index(int64_t b, int64_t h, int64_t i, int64_t j) const {
    return ((b * heads + h) * blocksQ + i) * blocksK + j;
  }
  int8_t &at(int64_t b, int64_t h, int64_t i, int64_t j) { return values[index(b, h, i, j)]; }
  int8_t at(int64_t b, int64_t h, int64_t i, int64_t j) const { return values[index(b, h, i, j)]; }
};

struct Evaluation {
  CallSizes sizes;
  std::vector<RowIndex> rows;
  ClassMap classes;                 ///< empty without classification
  std::vector<BranchRows> branches; ///< as Program::branches: every branch alone, before and after projection
  size_t output = 0;

  const BranchRows &result() const { return branches[output]; }
};

/// Evaluates the program. Rows at or beyond q_len give o = 0 and lse = -inf in every branch. Tokens at or beyond a
/// length are never read. Errors: as checkArguments; invalidArgument for a row outside the tensors. Safe from many
/// threads.
Result<Evaluation> evaluate(const Program &program, const Arguments &arguments, const EvaluateOptions &options = {});

/// The classes of every block: by selection, or as handed in. Errors as checkArguments, and invalidArgument without
/// classification.
Result<ClassMap> selectClasses(const Program &program, const Arguments &arguments, const ParallelFor &parallelFor = {});

/// Evaluates every row and writes the output tensors among `outputs`: `o` (compute dtype or wider), `lse` (f32 or f64
/// [batch, heads, tokens]), `classes` (i8). invalidArgument also for an lse that the spec does not have, classes
/// without classification, and tensors of another shape; nothing is written then.
Status run(const Program &program, const Arguments &arguments, const Arguments &outputs,
           const ParallelFor &parallelFor = {});

} // namespace tercet::reference
