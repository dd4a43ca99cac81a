// AttendBuilder: the attend kernel of a CPU program (CpuKernels.h). K and V tiles come packed in f32; scores run in log2
// units, relative to the running maximum of their row.
//
//   AttendKernel.cpp    the item: where it lies, its memory, its order
//   AttendTiles.cpp     which tiles it visits: those of its list, or all
//   AttendRows.cpp      of small query blocks: which rows take a tile
//   AttendMask.cpp      or those in which the mask allows a pair
//   AttendScores.cpp    one tile against one query block
//   AttendInputs.cpp    what it takes from earlier stages, and gates
//   AttendEpilogue.cpp  O and LSE, with the projected linear branch
#pragma once

#include "BlockTokens.h"
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "HoistedRegion.h"
#include "KernelBuilder.h"
#include "PairReach.h"

#include <optional>

namespace tercet::compiler {

inline constexpr int64_t meanTile = 64; // tercet/Builtins.h: blocks of a mean tile

/// The argument block, in slot order.
struct AttendSlots {
  AttendSlots(KernelBuilder &k, const Program &program, const AttendStage &stage)
      : q(k.pointer(program.dtype)), qStrideB(k.integer()), qStrideH(k.integer()), qStrideN(k.integer()),
        o(k.pointer(stage.storesOutput ? program.dtype : DType::f32)), oStrideB(k.integer()), oStrideH(k.integer()),
        oStrideN(k.integer()), lse(k.pointer(DType::f32)), lseStrideB(k.integer()), lseStrideH(k.integer()),
        lseStrideN(k.integer()), qLengths(k.pointer(DType::i32)), kLengths(k.pointer(DType::i32)), headsKV(k.integer()),
        headsPerKV(k.integer()), tokensQ(k.integer()), tokensK(k.integer()), firstPair(k.integer()),
        packedK(k.pointer(DType::f32)), packedV(k.pointer(DType::f32)), tilesPerPair(k.integer()),
        lists(k.pointer(DType::i32)), counts(k.pointer(DType::i32)), capacity(k.integer()), superRows(k.integer()),
        scale(k.wideScalar()), meanK(k.pointer(DType::f32)), meanV(k.pointer(DType::f32)),
        meanTilesPerPair(k.integer()), classes(k.pointer(DType::i8)), classStrideB(k.integer()),
        classStrideH(k.integer()), classStrideI(k.integer()), blocksQ(k.integer()), blocksK(k.integer()),
        linear(k.pointer(DType::f32)), w(k.pointer(DType::f32)), packedW(k.pointer(DType::f32)),
        packedB(k.pointer(DType::f32)), linearCounts(k.pointer(DType::i32)) {}
  Value q, qStrideB, qStrideH, qStrideN, o, oStrideB, oStrideH, oStrideN, lse, lseStrideB, lseStrideH, lseStrideN;
  Value qLengths, kLengths, headsKV, headsPerKV, tokensQ, tokensK, firstPair, packedK, packedV, tilesPerPair;
  Value lists, counts, capacity, superRows, scale, meanK, meanV, meanTilesPerPair;
  Value classes, classStrideB, classStrideH, classStrideI, blocksQ, blocksK, linear, w, packedW, packedB;
  Value linearCounts;
};

/// Further slots, as the stage has them: O in f32 with its strides; numerators and maxima and sums of the stage that it goes on from; per added
/// stage its outputs, and the first one's LSE if the stage stores it; the choice of heads; the rows that take entries of its list.
struct StageSlots {
  StageSlots(KernelBuilder &k, const Program &program, const AttendStage &stage) {
    if (stage.storesWide) {
      wide = k.pointer(DType::f32);
      for (Value *stride : {&wideStrideB, &wideStrideH, &wideStrideN})
        *stride = k.integer();
    }
    if (stage.storesRest) {
      rest = k.pointer(DType::f32);
      for (Value *stride : {&restStrideB, &restStrideH, &restStrideN})
        *stride = k.integer();
    }
    if (stage.start) {
      numerators = k.pointer(DType::f32);
      state = k.pointer(DType::f32);
    }
    for (size_t i = 0; i < stage.added.size(); ++i)
      added.push_back(k.pointer(DType::f32));
    if (stage.storesLse && !stage.exact)
      addedLse = k.pointer(DType::f32);
    if (stage.keepsState)
      keptState = k.pointer(DType::f32);
    if (stage.chosen >= 0) {
      choice = k.pointer(DType::i32);
      choiceStride = k.integer();
    }
    if (program.isFine() && stage.gathersRows()) {
      takers = k.pointer(DType::i8);
      takersAt = k.pointer(DType::i32);
    }
  }
  Value wide, wideStrideB, wideStrideH, wideStrideN, rest, restStrideB, restStrideH, restStrideN;
  Value numerators, state, addedLse, keptState, choice, choiceStride, takers, takersAt;
  llvm::SmallVector<Value> added;
};

/// What a query block attends to at once: packed keys and values, one bias per key in log2 units, and the tile that the
/// list names next, if any.
struct Tile {
  Value keys, values, bias;
  int64_t cols = 0;
  int64_t keyStep = 0, valueStep = 0; ///< elements from one panel to the next
  bool weighted = false;              ///< the bias is more than 0 and -inf
  Value nextKeys = {}, nextValues = {};
  Value firstKey = {};   ///< place of the first key (BlockTokens); null for means, to which no region applies
  Value endKey = {};     ///< place behind the last valid key, as regions compute with it
  Value restricted = {}; ///< whether some pair is out, by the mask, by the row's class or behind the last key
};

class AttendBuilder {
public:
  AttendBuilder(mlir::ModuleOp module, const Program &program, const AttendStage &stage, const CpuSchedule &schedule)
      : program(program), stage(stage), schedule(schedule), k(module, stage.name), slots(k, program, stage),
        further(k, program, stage), queriesAt(k, program, stage.poolsQueries()), keysAt(k, program, !stage.listed),
        scope(k, stage.pairOperands()), ranges(k, scope, stage.listed ? nullptr : stage.mask) {}
  void build();

private:
  // AttendKernel.cpp
  void locate();
  void chooseHeads();
  /// The first element of the item's rows in a tensor of the call, or in a buffer of the group, which is in the order of
  /// places; under a token order of all rows of the head in the tensor, of which queriesAt.rowOf says which one is meant.
  Value offsetOf(bool inBuffer, Value strideB, Value strideH, Value strideN);
  void prologue();
  void startRegions();

  // AttendTiles.cpp
  void exactLoop();
  void allTiles();
  void listedTiles();
  Tile packedTile(Value tile);
  Tile meansTile(Value mean, Value sub);
  Value meanBias(Value tile, Value queryBlock);
  void prepareKeys(Value tile);
  Value keysOfTile(Value tile);

  // AttendRows.cpp
  /// Where rows are gathered, one more is nobody's.
  int64_t scratchRows() const { return schedule.superRow + (further.takers ? 1 : 0); }
  void startTakers(Value computedRows);
  void findTakers(Value firstRow, Value tile);
  void takenTile(Value entry, Value tile, Value next, Value mask);
  void gatherRows(Value entry, const Tile &tile);
  void copyTaken(Value at, Value row, bool back);

  // AttendMask.cpp
  std::pair<Value, Value> queriesOf(Value firstRow, Value endRow);
  PairReach reach(Value firstRow, Value endRow, Value firstTile, Value endTile);
  void maskedTiles();
  void maskedTile(Value tile);

  // AttendScores.cpp
  /// Rows and columns of a tile of scores. For a part of a row tile it is known before whether some row is fresh (anyFresh),
  /// and what moves scores to their maxima: by `shift`, or where that may change on the way, by `shifts`.
  struct Part {
    Value row;
    int64_t rows;
    Value col;
    int64_t cols;
    Value shift = {}, anyFresh = {};
  };
  /// A row tile's part of `elements`, rounded up.
  int64_t shareOf(int64_t elements) const {
    int64_t tiles = (schedule.visitRows + schedule.rowTile - 1) / schedule.rowTile;
    return (elements + tiles - 1) / tiles;
  }
  void visit(Value firstRow, const Tile &tile);
  void visitRows(Value share, Value row, int64_t rows, const Tile &tile);
  void visitInPanels(Value row, int64_t rows, const Tile &tile, Value share);
  Value scoresOf(const Part &part, const Tile &tile, Value keys, Value ahead, int64_t elements);
  Value biasedScores(Value product, const Part &part, const Tile &tile);
  Value regionScores(Value product, const Part &part, const Tile &tile);
  Value regionValues(Value product, const Part &part, const Tile &tile, Value shift, bool restricted);
  Value shiftOf(const Part &part);
  Value freshRows(const Part &part);
  bool startsExactly(const Tile &tile) const;
  Value startRows(Value scores, Value unit, const Part &part);
  void startFreshRows(Value scores, Value unit, Value fresh, const Part &part);

  // AttendInputs.cpp
  Value inputRow(const StageInput &input, Value row);
  Value inputTile(const StageInput &input, Value pointer, Value row, int64_t rows, int64_t cols);
  void addState();
  void startGates();
  Value gated(Value tile, std::optional<HoistedRegion> &region, Value row);

  // AttendEpilogue.cpp
  static constexpr int64_t storedRows = 4; ///< at a time; divides every block
  void epilogue();
  Value exactTile(Value row, Value total);
  /// LSE, or what its rounding left.
  Value logTile(Value row, Value total, bool wantsRest);
  void keepState(Value row, Value left, Value total);
  void storeWide(Value tile, Value row, Value left, Value width);
  void storeRows(Value tile, Value target, Value row, Value left, int64_t cols, Value width, Value beyond = {});
  void storeLse(Value row, Value left, llvm::function_ref<Value()> make);
  void storeRest(Value row, Value left, llvm::function_ref<Value()> make);
  Value projectedTile(Value row, int64_t rows);
  Value linearTile(Value row, int64_t rows);

  const Program &program;
  const AttendStage &stage;
  const CpuSchedule &schedule;
  KernelBuilder k;
  AttendSlots slots;
  StageSlots further;
  BlockTokens queriesAt, keysAt;
  CpuPairScope scope;
  TableRanges ranges;
  std::optional<HoistedRegion> score, mask, gate;
  std::vector<std::optional<HoistedRegion>> addedGates;
  Value tokensQ; ///< query rows of a head: tokens, or pooled queries
  Value zero, g, batch, head, firstToken, validQ, validK, validRows, presentRows;
  Value factor, scale;     ///< of products: to scores in log2 units, and in natural units
  Value lowest;            ///< -inf
  Value lastTile, hasTail; ///< the last tile with a valid key, and whether some of its keys are not valid
  Value keyCount;          ///< validK as regions compute with it
  Value queries, acc, max, sum, noBias, tailBias, columnBias;
  Value probabilities; ///< of a row tile, where it does not fit into registers
  Value shifts;        ///< of its rows, where these start exactly
  Value taken;         ///< per row 1 where its query block takes the tile, else 0; null: rows that visit a tile take it
  /// What stands for these rows while a row tile of them visits a tile: queries, acc, max and sum.
  struct RowState {
    Value queries, acc, max, sum;
  } gathered;
};

} // namespace tercet::compiler
