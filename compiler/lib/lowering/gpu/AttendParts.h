// AttendParts: what both forms of the kernel of an attend stage share: its arguments, which rows and keys are live, which
// keys a step of the loop takes, the softmax of a step, and the epilogue with the linear branch and what earlier stages
// kept. The forms (AttendWarp, AttendWarpgroup) differ in how tiles come and who computes.
#pragma once

#include "AttendLayout.h"
#include "GpuKernelBuilder.h"
#include "GpuPairScope.h"

#include <optional>

namespace tercet::compiler {

/// A tensor argument (or as base a tensor map, which has no strides here), or rows in a workspace buffer.
struct TensorArgument : StridedTensor {
  bool inBuffer = false; ///< rows lie one after another in the workspace
  mlir::Value first;     ///< the first one of the block's head, or pair
};

/// The keys of a step: the first one; whether the rows of a worker take them (null: every row of the block does); whether
/// the mask may forbid some of their pairs (null: it cannot); where its entry lies in the lists, if bits of rows say which of the
/// worker's take it (null: all do).
struct StepKeys {
  mlir::Value first, takes, partial, entry = {};
};

class AttendParts {
public:
  AttendParts(mlir::ModuleOp module, const GpuProgram &program, const AttendStage &stage,
              tkern::GpuScheduleAttr schedule);

  /// The softmax state of a worker's rows: of no key.
  void startRows();
  /// Rows of a tensor for this block's batch and a head: a view [rows, cols].
  mlir::Value rowsOf(llvm::StringRef name, const TensorArgument &tensor, mlir::Value head, int64_t cols);
  /// Rows of a workspace buffer of block means: [plane][pair of the group][key blocks][cols].
  mlir::Value meanRows(llvm::StringRef name, mlir::Value base, int64_t plane, int64_t cols);
  /// The first key of a step; ahead: of one that may lie beyond the last, where no key is live.
  mlir::Value keyOf(llvm::StringRef name, mlir::Value step, bool ahead) { return keysOf(name, step, ahead, {}).first; }
  /// How many keys from that of a step on are live; may be none, or less.
  mlir::Value keysLeft(mlir::Value first);
  /// The keys of a step as a worker takes them.
  StepKeys keysOf(llvm::StringRef name, mlir::Value step, mlir::Value worker) {
    return keysOf(name, step, /*ahead=*/false, worker);
  }
  /// Runs `body` for all steps, or window by window of those that the mask leaves; `steps` are those of a window inside.
  void eachWindow(llvm::function_ref<void()> body);
  mlir::Value softmaxStep(mlir::Value scores);
  /// From scores Q K^T of a step to probabilities; updates the state. keysLeft: live keys from its first one on; step and
  /// row, the first one of the tile: where regions over pairs find its pairs.
  mlir::Value softmax(mlir::Value scores, mlir::Value keysLeft, const StepKeys &step = {}, mlir::Value row = {});
  /// The same for block means: columns are key blocks from `firstBlock` on.
  mlir::Value softmaxOfMeans(mlir::Value scores, mlir::Value firstBlock);
  /// O = acc / sum plus the linear branch and what is added of earlier stages, and LSE, for the worker's rows from `row`
  /// on; or their softmax state, if a later stage goes on from it.
  void finishRows(mlir::Value row, mlir::Value worker);

  GpuKernelBuilder b;
  const GpuProgram &program;
  const AttendStage &stage;
  tkern::GpuScheduleAttr schedule;
  AttendLayout layout;
  bool boxes; ///< q, k, v come as tensor maps

  TensorArgument q, k, v, o, lse;
  TensorArgument wide, rest;        ///< o in f32 and what rounding left of lse, for a backward
  TensorArgument queryLines;        ///< q as a pointer, for the linear branch
  mlir::Value batch, head, keyHead; ///< of this block; keyHead: the head of K and V that the query head reads
  mlir::Value liveRows, liveKeys;   ///< rows and keys of this batch, pooled where the stage pools them
  mlir::Value blockRow;             ///< first query row of the block
  mlir::Value steps;                ///< tiles of keys
  mlir::Value keysPerStep;          ///< the constant
  mlir::Value meanK, meanV;         ///< block means, where they are keys too
  mlir::Value liveBlocks;           ///< key blocks with a token, 0 where the block has no rows
  mlir::Value max, sum, acc;        ///< the softmax state

private:
  TensorArgument tensor(llvm::StringRef name, mlir::Type element, int64_t boxRows);
  /// A tensor or, if `pooled`, the buffer of the stage's pools of it.
  TensorArgument operand(llvm::StringRef name, bool pooled, int64_t boxRows);
  TensorArgument buffer(llvm::StringRef name, mlir::Type element, const std::string &symbol);
  void addArguments();
  void place();
  void placeBuffers();
  void placeBlocks();
  void countSteps();
  StepKeys keysOf(llvm::StringRef name, mlir::Value step, bool ahead, mlir::Value worker);
  StepKeys entryOf(const std::string &text, mlir::Value at, bool ahead, mlir::Value worker);
  mlir::Value keyOfPart(const std::string &text, mlir::Value block, mlir::Value entry, mlir::Value step);
  bool inSuperRows() const { return layout.queryBlocks > 1; }
  /// Under a token order all keys are taken as they lie.
  bool takesAllAsGiven() const { return program.order && stage.takesAll(); }
  /// Steps per entry of a list.
  int64_t partsOfEntry() const { return stage.listed ? program.blockK / schedule.getKeys() : 1; }
  void finishOwnRows(mlir::Value row, mlir::Value worker);
  mlir::Value scoreScale();
  mlir::Value finiteMax(mlir::Value max);
  mlir::Value shifted(mlir::Value scores);
  mlir::Value keepRows(mlir::Value tile, mlir::Value row, float otherwise);
  void addLinear(mlir::Value row, mlir::Value worker);
  void divideRows(mlir::Value total, mlir::Value row);
  void storeWide(mlir::Value row);
  void storeLogs(mlir::Value total, mlir::Value row);
  /// LSE of rows with these sums, or what its rounding left.
  mlir::Value logTile(mlir::Value total, bool wantsRest);
  /// Runs `body` where the caller of a launch gives the output.
  void ifGiven(llvm::StringRef name, const TensorArgument &tensor, llvm::function_ref<void()> body);
  void storeLogRows(mlir::Value row, llvm::function_ref<mlir::Value()> make);

  // What goes from stage to stage, gates, and heads that choose (AttendInputs.cpp).
  void addInputs();
  mlir::Value chosenRows(mlir::Value live);
  void mergeRows(mlir::Value row);
  void keepState(mlir::Value total, mlir::Value row);
  mlir::Value inputTile(llvm::StringRef name, const StageInput &input, mlir::Value rows, mlir::Value row);
  bool isGated() const {
    return stage.gate || llvm::any_of(stage.added, [](const StageInput &input) { return input.gate != nullptr; });
  }
  void startGates(mlir::Value row);
  mlir::Value gateOf(mlir::Region &gate, mlir::Value tile, mlir::Value row, int64_t col);
  mlir::Value gated(mlir::Value tile, mlir::Region *gate, mlir::Value row, int64_t col);
  mlir::Value withInputs(mlir::Value tile, mlir::Value row, int64_t col);
  /// Runs `body` for the columns of the accumulator, at most `most` at a time: the first one, and how many.
  void eachPart(int64_t most, llvm::function_ref<void(int64_t col, int64_t width)> body);
  mlir::Value partOfAcc(llvm::StringRef name, int64_t col, int64_t width);
  /// The columns of a view from `col` on, at most `width`.
  mlir::Value columnsOf(llvm::StringRef name, mlir::Value view, int64_t col, int64_t width);
  TensorArgument numerators, startState, keptState, addedLogs;
  llvm::SmallVector<TensorArgument> added;
  llvm::DenseMap<mlir::Region *, mlir::Value> rowGates; ///< a column, of gates that are the same for all features
  mlir::Value stores; ///< whether the block's head has this stage write its rows; null: it does

  mlir::Value queryLengths, keyLengths, tokens, keyTokens, headsPerKeyHead;
  mlir::Value rows, keys;             ///< tokens, or pools
  mlir::Value tileCounts, firstCount; ///< tokens of key blocks, under a token order, and where the batch entry's begin
  mlir::Value counts, lists, bits, state, pairs, eps, bias; ///< null where the program has no use for them
  mlir::Value takers;                                       ///< bits of rows of an entry; null: all rows take it
  mlir::Value member, group;                                ///< the block's head and pair within the group
  mlir::Value queryBlocks, keyBlocks, listRow; ///< listRow: the first query block of the block, in its group
  mlir::Value list, listBase, lastEntry;       ///< of key blocks: its number, its first entry, its last one
  mlir::Value hasRows;
  mlir::Value scale, scoreUnit; ///< the parameter; from scores, or from what a score region yields, to log2 units

  // Regions over pairs (AttendPairs.cpp).
  void startPairs();
  mlir::Value scoredPairs(mlir::Value scores, mlir::Value row, mlir::Value key);
  mlir::Value allowedPairs(mlir::Value scores, mlir::Value row, const StepKeys &step);
  mlir::Value takenRows(mlir::Value scores, mlir::Value row, const StepKeys &step);
  GpuPairScope scope;
  std::optional<PairRegion> score, mask;
  mlir::Value scoreFactor; ///< from products to natural units, for the score region
  mlir::Value keysOfRows;  ///< live keys, 0 where the block has no rows
  mlir::Value window;      ///< the list of a window's steps
};

/// The kernel in a new module: warps that share rings of thread copies.
void buildAttendWarp(AttendParts &parts);
/// The same with roles: one thread starts box copies, warpgroups compute. Without block means.
void buildAttendWarpgroup(AttendParts &parts);

} // namespace tercet::compiler
