// GradientWriter: writes one gradient kernel (GradientKernel.h).
//
//   GradientKernel.cpp    its arguments, where a block stands, its rows
//   GradientStore.cpp     what it stores
//   GradientParts.cpp     lines of keys longest first, in parts where they are long; the kernels that this takes
//   GradientColumns.cpp   the loop of warps over tiles of columns, what a step makes of its products
//   GradientWarpgroup.cpp the roles of warpgroups, their loop
//   GradientRegions.cpp   masks and score regions in it
//   GradientOperands.cpp  rings of warps, and operands of rows
//   GradientMeans.cpp     block means as rows or columns
//   GradientTables.cpp    shares of gradients of tables, in kernels that make nothing else
#pragma once

#include "GpuPairScope.h"
#include "GradientKernel.h"

#include <memory>
#include <optional>

namespace tercet::compiler {

/// Where X or Y of one side come from: a tensor of the call (for box copies a map), or rows of the group's heads or pairs in a buffer.
struct GradientSource {
  StridedTensor tensor; ///< of a buffer or a map the base alone
  bool isKey = false, inBuffer = false;
};

/// The columns of a step: the first one; whether the mask may forbid some of its pairs (null: it cannot); whether the rows of a
/// worker take them (null: those of all do); where its entry lies.
struct StepColumns {
  mlir::Value first, partial, takes, at;
};

struct TableOfKernel;

class GradientWriter {
public:
  GradientWriter(mlir::ModuleOp module, const GpuProgram &program, const GradientKernel &kernel,
                 tkern::GpuScheduleAttr schedule);
  void build();

  GpuKernelBuilder b;
  GradientLayout layout;

private:
  using Value = mlir::Value;

  // GradientKernel.cpp
  bool isOfGroups() const { return schedule.getWorker() == tkern::WorkerKind::Warpgroup; }
  StridedTensor operand(llvm::StringRef name, llvm::StringRef symbol, bool isOfRows);
  void addOperands();
  void addOutputs();
  void addSizes();
  /// Where rows are: of a head, or of keys those of a pair; block: of rows.
  void place(Value owner, Value block);
  Value rowsOf(llvm::StringRef name, const GradientSource &source, int64_t plane, int64_t cols);
  void buildWarps();
  /// Which of the heads of its key head comes next, where rows are keys.
  void placeShare(Value share);
  void startSums();

  // GradientStore.cpp
  Value normalise();
  void finish();
  /// The worker's rows of a sum, each number times `factor` and its row's `byRow`, null for 1; plus those of the linear
  /// branch, or of branches before. gradient: what buffers of it are called.
  void store(const std::string &name, Value sum, const StridedTensor &to, int64_t cols, int64_t width, Value factor,
             Value byRow, const std::string &gradient);

  // GradientParts.cpp
  /// Whether blocks take items (column_items.cuh) rather than their rows in order.
  bool inItems() const { return kernel.lineRows > 0 && kernel.makes != GradientKernel::Makes::counts; }
  int64_t blocksOfLine() const { return kernel.lineRows / schedule.getBlockRows(); }
  void placeItem();
  Value readItem(llvm::StringRef name, int64_t field);
  /// The first row of the block.
  Value rowOfItem(const std::string &name);
  /// Of the columns of one head, so many: the first one that is the part's, and the end.
  std::pair<Value, Value> shareOfPart(Value count);
  /// The same of the steps that a mask leaves; none where blocks take all.
  llvm::SmallVector<Value, 2> partOfSteps();
  /// Runs one or the other, or the first where no block has a part.
  void unlessPart(llvm::function_ref<void()> ofLine, llvm::function_ref<void()> ofPart = {});
  /// Rows of a slot of the parts' sums, and where in it the worker's rows begin and the line ends.
  struct SlotRows {
    Value rows, row, end;
  };
  SlotRows slotRows(const std::string &name, Value base, Value slot, int64_t cols);
  Value partSums(bool isOfX);
  void keepPart();
  void sumParts();
  void countLines();

  // GradientOperands.cpp
  void makeRings();
  void loadOperands();
  Value left(llvm::StringRef name, Value ring, int64_t slot, Value workerRow, int64_t later);

  // GradientColumns.cpp
  void visitColumns();
  void visitSteps();
  void countSteps();
  /// Steps per entry of a list.
  int64_t partsOfEntry() const;
  /// ahead: of a step that may lie beyond the last.
  StepColumns columnsOf(const std::string &name, Value step, bool ahead, Value worker = {});
  StepColumns readEntry(const std::string &name, Value entry, bool ahead, Value worker);
  Value entryOf(const std::string &name, Value at);
  void visitTile(mlir::ValueRange tileX, llvm::function_ref<llvm::SmallVector<Value>()> waitForY);
  /// The sum of the products of all `lefts` with all `tiles`.
  Value product(llvm::StringRef name, mlir::ValueRange lefts, mlir::ValueRange tiles, int64_t depth);
  void loadRows();
  Value numbersOfRows(llvm::StringRef name, Value of);
  Value rowNumbers(llvm::StringRef name, Value of);
  Value columnNumbers(llvm::StringRef name, Value of, float otherwise);
  Value probabilities(Value scores);
  /// Adds the rows of a tile to sums of rows.
  void addRows(Value sums, Value tile);
  Value pairGradients(Value p, Value ofP);

  // GradientTables.cpp
  void buildTable();
  /// What of the read depends on batch and head alone, both i32.
  void startTable(Value ofBatch, Value ofHead);
  void startRowSums();
  void keepRowSums();
  void visitOwners();
  void startEntries(Value ofBatch, Value ofHead);
  void scatter(Value values);
  /// Of what the score region's results get, and products of a step.
  void addToTable(Value p, Value ofScores, Value products);

  // GradientMeans.cpp
  void addMeanArguments();
  void countMeans();
  /// Rows of means from `first` on to a ring of planes and one of values.
  void fillMeans(Value ringX, Value ringY, Value first, Value live);
  void visitMeans();
  Value meanWeights();
  /// Rows from `first` on of what a pass over means sums, in a buffer with this many rows per pair or head.
  Value meanSums(llvm::StringRef name, Value rowsOfOwner, int64_t cols);
  /// Runs `body` for every sum that passes over means keep, with its name and columns.
  void eachMeanSum(llvm::function_ref<void(Value, llvm::StringRef, int64_t)> body);
  void keepMeans();
  void startFrom(Value sum, llvm::StringRef name, Value rowsOfOwner, int64_t cols, int64_t share);
  void startFromMeans();
  void startShares();

  // GradientWarpgroup.cpp
  void buildWarpgroups();
  void produce();
  void consume();
  /// Runs `body` for every head whose columns the rows meet, with the number of steps before it (null: none).
  void eachHead(llvm::function_ref<void(Value)> body);
  Value stepOfRings(Value before, Value step);
  void fillBoxes(Value ring, Value step, const GradientSource &source, Value position, Value ofHead,
                 Value numbers = {});
  Value startProduct(llvm::StringRef name, Value left, Value tile, int64_t depth);
  Value awaitTile(llvm::StringRef name, Value product, int64_t later);
  Value startSum(llvm::StringRef name, Value pairs, Value tile, Value sum);
  void awaitSum(Value product, int64_t later);
  void addProducts(Value tileX, Value tileY);

  // GradientRegions.cpp
  void startRegions();
  /// Runs `body` for all steps of a head, or window by window of those that its mask leaves; `steps` are those of a window inside.
  void eachWindow(llvm::function_ref<void()> body);
  /// Queries and keys of a pair are bound to arguments `first` and `first` + 1 of a region.
  void bindPair(PairRegion &region, unsigned first, mlir::ValueRange pair);
  /// What a region makes of the products of a step.
  Value mappedPairs(llvm::StringRef name, PairRegion &region, Value products);
  Value allowedPairs(Value scores);
  Value takenPairs(Value scores);
  /// What the result of the score region gets, times a derivative of it.
  Value timesDerivative(llvm::StringRef name, Value ofScores, Value p, Value derivatives);
  /// dS of the products, of that of what the score region made of them.
  Value throughRegion(Value ofScores, Value p, Value products);

  const GpuProgram &program;
  const GradientKernel &kernel;
  const GradientPass &pass;
  const AttendStage &stage;
  bool ofKeys, listed;
  tkern::GpuScheduleAttr schedule;
  GradientSource q, k, v, gradient;
  StridedTensor toX, toY;
  Value shifts, rests, sums, queryLengths, keyLengths, queries, keys, lists, counts;
  Value takers;        ///< which queries take entries of the lists; null: all of them
  Value paddedQueries; ///< from head to head, in what belongs to queries
  Value scale, unit;   ///< the parameter, null for the default; from products to log2 units
  Value batch, group, member, head, keyHead, headsPerKeyHead;
  Value rows, liveRows, liveCols, firstRow, hasRows; ///< of the block
  Value lines, spareLines;                           ///< of the pair
  Value items, itemsOfPair, rowInLine;               ///< rowInLine: the block's first
  Value isLastPart;                                  ///< of those of the line
  Value liveKeys;                                    ///< tokens
  Value row, rowHead;                                ///< the worker's first, and the head of what it owns
  Value workerRow;                                   ///< in the block
  Value rowsX, rowsY, colsX, colsY;                  ///< rings
  llvm::SmallVector<Value> leftX, leftY;             ///< operands of the worker's rows, of which planes add up
  Value sumX, sumY;                                  ///< and accumulators
  Value tileCounts;      ///< tokens of key blocks, where keys are columns under a token order
  Value firstCount;      ///< where the batch entry's begin
  Value steps, listBase; ///< of the head whose columns are visited
  Value ringStep;        ///< of the rings of columns, counted over all heads
  Value column, partial; ///< the first one of a step; whether the mask may forbid pairs there
  Value entryAt;         ///< where its entry lies
  GpuPairScope scope;
  std::optional<PairRegion> score, slope, mask; ///< of the head whose columns are visited
  Value scoreFactor;                            ///< from products to natural units, for regions
  Value colsOfRows;                             ///< live columns, 0 where the block has no rows
  Value window;                                 ///< the list of a window's steps
  Value shares;                                 ///< sums of the P of rows; null where 16 bits hold P
  Value rowShift, rowRest, rowSum;              ///< of queries, where rows are queries
  Value meanK, meanV, bits, pairs;              ///< of passes over means; pairs: of the group, where planes are counted
  std::shared_ptr<TableOfKernel> table;         ///< of passes of tables
  Value keyBlocks;                              ///< of a pair
};

} // namespace tercet::compiler
