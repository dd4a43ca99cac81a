// What the kernels of selection have in common: runs of arguments and of constants, in the order of the device library's
// functions.
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

/// Query blocks of a block of threads, a warp each.
inline constexpr int64_t rowsPerBlock = 8;
/// Rows of keys that a block of threads counts, 256 threads.
inline constexpr int64_t rowsPerCount = 64;

/// Where a kernel reads scores; in the order of score_rows.cuh.
enum class ScoreSource : int64_t { means, table, workspace, heads };
ScoreSource scoreSourceOf(const GpuProgram &program);

/// Query means that a block of rows keeps in shared memory to score its rows: their columns, 0 where scores are read, and
/// bytes.
struct ScoreRoom {
  int64_t cols, bytes;
};
ScoreRoom scoreRoomOf(const GpuProgram &program, ScoreSource source);

/// Threads and query blocks of a block of sampled_scores, and its shared memory: SampledShape of the device library.
struct SampledShape {
  explicit SampledShape(const GpuProgram &program);
  int64_t threads, queryBlocks, sharedBytes;
};

/// The same of compressed_scores: PoolShape of the device library.
struct PoolScoreShape {
  explicit PoolScoreShape(const GpuProgram &program);
  int64_t threads, queryBlocks, sharedBytes;
};

/// Passes of count_keys: those of the rule, of keys and of rows; and bytes of what a scope counts (scope_cut.cuh).
int64_t countPasses(const Selection &selection);
inline constexpr int64_t scopeBytes = 8 * (6 + 12 * 2 * 256);

class SelectArguments {
public:
  explicit SelectArguments(StageKernel &kernel) : kernel(kernel), b(kernel.b) {}

  void add(mlir::ValueRange values) { inputs.append(values.begin(), values.end()); }
  /// Means and scale, or scores that are stored, with strides.
  void addScores(ScoreSource source);
  /// Lengths and sizes, from those to the first pair.
  void addSizes();
  /// sink, rules, likeness and guard.
  void addFacts();
  /// Amounts of keep and drop, bounds and budgets.
  void addAmounts();
  /// How many heads a scope has.
  void addScopeHeads();
  /// Lists, bits and the class map.
  void addOutputs();
  /// Once these are written: joins the lists of adjacent query blocks. After addSizes and addOutputs.
  void joinLists();
  mlir::Value buffer(llvm::StringRef name, mlir::Type element, bool present = true) {
    return b.pointer(element, name, present ? ("@" + name).str() : "");
  }
  mlir::Type f32() { return b.builder.getF32Type(); }
  mlir::Type i32() { return b.builder.getI32Type(); }

  /// Template arguments: the rule of keep and drop.
  void addRule(mlir::SmallVectorImpl<mlir::Attribute> &constants) const;
  /// How blocks of a row are told apart: diagonal, rules, guard, and whether forced ones are out of P.
  void addRowFacts(mlir::SmallVectorImpl<mlir::Attribute> &constants) const;

  mlir::SmallVector<mlir::Value> inputs;

private:
  const Selection &selection() const { return kernel.program.selection; }

  StageKernel &kernel;
  GpuKernelBuilder &b;
  mlir::Value rows, keys, lists, counts;
};

} // namespace tercet::compiler
