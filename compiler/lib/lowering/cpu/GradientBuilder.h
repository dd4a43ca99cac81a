// GradientBuilder: the kernel of a pass of the backward (Gradient.h). Both passes are one loop: an item owns rows of one side,
// x and y, and passes over packed tiles of the other side's columns,
//
//   rows queries: x = Q, y = dO;   columns keys: K, V        dX = dQ
//   rows keys:    x = K, y = V;    columns queries: Q, dO    dX = dK, dY = dV
//
// and S = x X^T, dP = y Y^T, P = 2^(S scale log2 e + shift), dS = P (dP - sum), dX += dS X, dY += P Y.
//
//   GradientKernel.cpp   the item: where it lies, its memory, its results
//   GradientTiles.cpp    which tiles it visits, and one tile against a few rows
//   GradientRows.cpp     small query blocks: which rows or columns take part in a tile
//   GradientGather.cpp   or, where no region looks at these, only those that do
//   GradientMeans.cpp    block means as rows or columns
//   GradientPairs.cpp    what masks and score regions make of it
//   GradientTables.cpp   gradients of tables that score regions read
#pragma once

#include "BlockTokens.h"
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "GradientTokens.h"
#include "HoistedRegion.h"
#include "KernelBuilder.h"
#include "PairReach.h"
#include "TableScatter.h"

#include <optional>

namespace tercet::compiler {

/// Queries that a block of keys meets at a time, where they are gathered.
inline constexpr int64_t gatheredColumns = 64;

/// Whether a pass gathers queries of small blocks.
inline bool gathersQueries(const Program &program, const GradientPass &pass) {
  return program.isFine() && pass.listed() && pass.forward->gathersRows();
}

/// The argument block, in slot order.
struct GradientSlots {
  GradientSlots(KernelBuilder &k, const Program &program, const GradientPass &pass)
      : x(k, typeOfX(program, pass), hasXInBuffer(pass)), y(k, typeOfY(program, pass), hasYInBuffer(pass)) {
    if (!pass.ofTable)
      dx.emplace(k, outputType(program, pass), hasOutputInBuffer(pass));
    if (pass.ofKeys)
      dy.emplace(k, outputType(program, pass), hasOutputInBuffer(pass));
    rowLengths = k.pointer(DType::i32);
    columnLengths = k.pointer(DType::i32);
    for (Value *size : {&headsKV, &headsPerKV, &rows, &columns, &firstPair})
      *size = k.integer();
    for (Value *packed : {&transposedX, &plainX, &transposedY, &plainY})
      *packed = k.pointer(DType::f32);
    tilesPerHead = k.integer();
    shifts = k.pointer(DType::f32);
    rests = k.pointer(DType::f32);
    sums = k.pointer(DType::f32);
    queryRows = k.integer();
    lists = k.pointer(DType::i32);
    counts = k.pointer(DType::i32);
    capacity = k.integer();
    superRows = k.integer();
    scale = k.wideScalar();
    if (program.linear || pass.forward->means || pass.addsToSums() || pass.stores) {
      addedX = k.pointer(DType::f32);
      if (pass.ofKeys)
        addedY = k.pointer(DType::f32);
      addedRows = k.integer();
    }
    if ((pass.forward->means && !pass.ofKeys) || pass.sharesSoftmax())
      keptShares = k.pointer(DType::f32);
    if (!pass.ofMeans && !(program.isFine() && pass.listed()))
      return;
    classes = k.pointer(DType::i8);
    for (Value *stride : {&classStrideB, &classStrideH, &classStrideI})
      *stride = k.integer();
    if (!gathersQueries(program, pass) || pass.ofKeys)
      return;
    takers = k.pointer(DType::i8);
    takersAt = k.pointer(DType::i32);
    blocksK = k.integer();
  }
  // Means and pools of keys lie in buffers of the group, as do dO of branches, and what is not the gradient yet.
  static bool hasXInBuffer(const GradientPass &pass) { return pass.hasPooledRows() || (pass.ofKeys && pass.ofMeans); }
  static bool hasYInBuffer(const GradientPass &pass) { return hasXInBuffer(pass) || (pass.isSummed() && !pass.ofKeys); }
  static bool hasOutputInBuffer(const GradientPass &pass) { return pass.ofMeans || pass.isSummed(); }
  static DType typeOfX(const Program &program, const GradientPass &pass) {
    return pass.ofMeans && pass.ofKeys ? DType::f32 : program.dtype;
  }
  static DType typeOfY(const Program &program, const GradientPass &pass) {
    return hasYInBuffer(pass) && !pass.ofKeys ? DType::f32 : typeOfX(program, pass);
  }
  static DType outputType(const Program &program, const GradientPass &pass) {
    return hasOutputInBuffer(pass) ? DType::f32 : program.dtype;
  }

  GradientTokens x, y;
  std::optional<GradientTokens> dx, dy;
  Value rowLengths, columnLengths, headsKV, headsPerKV, rows, columns, firstPair;
  Value transposedX, plainX, transposedY, plainY, tilesPerHead; ///< of the columns
  Value shifts, rests, sums, queryRows;                         ///< of queries (gradient_rows)
  Value lists, counts, capacity, superRows, scale;
  Value addedX,
      addedY;       ///< gradients through the linear branch, sums over branches, or sums over block means to go on from
  Value addedRows;  ///< of these per head
  Value keptShares; ///< of query rows: the sum of their P of block means, or of earlier passes [gr][queryRows]
  Value classes, classStrideB, classStrideH, classStrideI;
  Value takers, takersAt, blocksK; ///< rows that take entries of the lists (build_lists)
};

/// Further slots for the shares of a table's gradient, behind those of regions: the gradient, where its shares go, and how many rows, or
/// strips of entries, each query head has there.
struct TableSlots {
  explicit TableSlots(KernelBuilder &k)
      : gradient(k.pointer(DType::f32)), shares(k.pointer(DType::f32)), count(k.integer()) {}
  Value gradient, shares, count; ///< gradient: null where it is not wanted
};

/// And of a pass that makes such shares alone: super rows and query heads of an item, query heads of the group, entries of a share, and how far
/// these lie apart along the axes of the table.
struct TablePassSlots {
  TablePassSlots(KernelBuilder &k, const TableRead &read)
      : superRows(k.integer()), owners(k.integer()), allOwners(k.integer()), entries(k.integer()) {
    for (size_t axis = 0; axis < read.indices.size(); ++axis)
      strides.push_back(k.integer());
  }
  Value superRows, owners, allOwners, entries;
  mlir::SmallVector<Value> strides;
};

class GradientBuilder {
public:
  GradientBuilder(mlir::ModuleOp module, const Program &program, const GradientPass &pass, const CpuSchedule &schedule)
      : program(program), pass(pass), schedule(schedule), rows(sideOf(pass.ofKeys)), columns(sideOf(!pass.ofKeys)),
        k(module, pass.name), slots(k, program, pass), rowsAt(k, program, pass.isPooled(pass.ofKeys)),
        columnsAt(k, program, pass.isPooled(!pass.ofKeys)), scope(k, pass.forward->pairOperands()),
        ranges(k, scope, pass.listed() ? nullptr : pass.forward->mask), depthX(program.headDim),
        depthY(program.valueDim), widthX(CpuSchedule::padded(depthX)), widthY(CpuSchedule::padded(depthY)) {
    for (const TableShares &shares : pass.tables)
      tables.push_back({shares, TableSlots(k)});
    if (pass.ofTable)
      ofTable.emplace(k, pass.tables.front().read);
  }
  void build();

private:
  /// Columns of one tile.
  struct Tile {
    Value transposedX, plainX, transposedY, plainY;
    Value bias;                 ///< 0, and -inf behind the last key; null where these are left out otherwise
    Value weights;              ///< log2 of what P is multiplied with, by row or by column; null: of 1
    Value first;                ///< position of the first column
    Value restricted;           ///< whether some pair is out, by the mask or behind the last column; regions alone ask
    const Tile *next = nullptr; ///< the tile that the list names next, to be brought near
    Value query;                ///< the first query in the group's rows of queries: of the tile, or of the item
  };
  /// Rows of the item and columns of a tile.
  struct Part {
    Value row;
    int64_t rows;
    Value col;
    Value tileOfBlock; ///< the number of the row tile in its block
  };
  /// What a product brings near of a matrix of the next tile.
  struct Ahead {
    Value from;
    int64_t elements = 0;
  };

  // GradientKernel.cpp
  void locate();
  void prologue();
  /// Rows of the item's head from `first` on.
  Value rowsOf(const GradientTokens &tokens, Value first, int64_t cols) {
    return tokens.rows(k, tokens.inBuffer ? zero : batch, tokens.inBuffer ? group : head, first, cols);
  }
  void eachToken(llvm::function_ref<void(Value row, Value token)> body);
  void fill(const GradientTokens &source, int64_t depth, int64_t width, Value into);
  void sumPairs();
  void normaliseRests();
  void normalise();
  void moveShares(bool toKept);
  void epilogue();
  /// `added`: rows of `addedWidth`; null: nothing.
  struct Gradient {
    const GradientTokens &target;
    int64_t depth, width;
    Value rows, factor, added;
    int64_t addedWidth;
  };
  void storeRows(const Gradient &gradient);

  // GradientTiles.cpp
  void visitHead(Value owner);
  void allTiles(Value owner);
  void listedTiles(Value owner);
  Value columnsOfTile(Value tile);
  void prepareTail(Value tile);
  Tile packedTile(Value owner, Value tile);
  void visit(Value firstRow, int64_t count, const Tile &tile);
  void visitRows(const Part &rowsOfTile, const Tile &tile);
  Ahead ahead(const Tile &tile, Value Tile::*matrix, const Part &part, int64_t panel, int64_t depth);
  Value scoreProduct(const Part &part, const Tile &tile);
  Value probabilities(Value product, const Part &part, const Tile &tile);
  Value valueProduct(const Part &part, const Tile &tile);
  Value scoreGradients(Value dp, const Part &part, const Tile &tile);
  Value ofQueries(Value values, const Part &part, const Tile &tile);
  Value weightsOf(const Part &part, const Tile &tile);
  void accumulate(Value factors, const Tile &tile, Value Tile::*plain, int64_t width, Value into, const Part &part);

  // GradientRows.cpp
  void startTakers();
  Value classesOf(Value owner, Value block);
  Value isCritical(Value classes, Value query);
  void findTakers(Value owner, Value block, const Tile &tile);
  bool skipsRows() const { return taken && !pass.ofKeys; }
  Value takenOnly(Value probabilities, const Part &part);

  // GradientGather.cpp
  bool gathers() const { return gathersQueries(program, pass); }
  int64_t scratchRows() const { return rows.superRow + (gathers() && !pass.ofKeys ? 1 : 0); }
  void startRowGathering();
  void startColumnGathering();
  void clearColumns();
  void whereGathered(llvm::function_ref<void()> body);
  void gatherRows(Value entry, const Tile &tile);
  void copyColumn(const Tile &tile, Value col, Value at);
  void gatherColumns(Value owner, Value entries, Value count, Value block);

  // GradientMeans.cpp
  Value blocksOf(Value tokens) { return k.ceilDiv(tokens, schedule.blockK); }
  Value tokensOfBlock(Value block);
  void startFromMeans();
  void keepMeans();
  void meanTiles(Value owner);
  Value weighMeans(Value classRow, Value firstBlock, Value blocks, bool areRows);

  // GradientPairs.cpp
  bool hasRegions() const { return !isGathered && (pass.forward->score || pass.forward->mask); }
  void startRegions(Value owner);
  void prepareColumns(const Tile &tile);
  PairReach reach(Value firstRow, Value endRow, Value firstTile, Value endTile);
  void maskedTiles(Value owner);
  void maskedTile(Value owner, Value tile);
  Value regionProbabilities(Value product, const Part &part, const Tile &tile);
  Value regionValues(Value product, const Part &part, const Tile &tile, bool restricted);
  Value derivatives(HoistedRegion &of, Value product, const Part &part, const Tile &tile);

  // GradientTables.cpp
  /// A gradient of which the pass makes shares.
  struct TableOfPass {
    const TableShares &shares;
    TableSlots slots;
    Value wanted;
    Value sums = {}, rests = {}, means = {}; ///< of rows: of g, of P (dP - sum), and of P times the derivative
    Value factors = {};                      ///< derivatives of a row tile and a tile of columns; null: 1
    std::optional<HoistedRegion> factor = {};
  };
  void buildTable();
  void clearShare(Value base);
  void prepareTables();
  void startTables();
  void normaliseTables(Value row, Value shares);
  void keepTables(Value owner);
  void keepFactors(Value product, const Part &part, const Tile &tile);
  Value timesFactor(const TableOfPass &table, Value tile, const Part &part);
  Value resultGradients(Value dp, const Part &part, const Tile &tile);
  void sumTables(Value dp, const Part &part, const Tile &tile);
  void startScatter(Value queryHead);
  void scatter(const Part &part, const Tile &tile);

  int64_t columnPanel() const { return schedule.inPanels ? schedule.keyPanel : tileColumns(); }
  /// Of the tile that is visited.
  int64_t tileColumns() const { return isGathered && pass.ofKeys ? gatheredColumns : columns.tile; }

  const Program &program;
  const GradientPass &pass;
  const CpuSchedule &schedule;
  const GradientSide &sideOf(bool isKey) const {
    return pass.isPooled(isKey) || (isKey && pass.ofMeans) ? schedule.means : isKey ? schedule.keys : schedule.queries;
  }

  const GradientSide &rows, &columns;
  KernelBuilder k;
  GradientSlots slots;
  BlockTokens rowsAt, columnsAt; ///< under a token order rows and columns count places
  CpuPairScope scope;
  TableRanges ranges;
  std::optional<HoistedRegion> score, slope, mask;
  int64_t depthX, depthY, widthX, widthY; ///< features, and with padding
  Value zero, batch, head, group;         ///< head: of the rows; group: its number in the group
  Value superRow;                         ///< the item's number along the rows
  Value firstRow, validRows, presentRows, validColumns;
  Value scale;             ///< of products, to scores in natural units
  Value factor;            ///< of products, to scores in log2 units
  Value x, y, dx, dy;      ///< f32 rows of the item
  Value p, ds;             ///< of a row tile and a tile of columns
  Value shares;            ///< of query rows: the sum of their P
  Value noBias, tailBias;  ///< of a tile of keys
  bool isGathered = false; ///< whether what is emitted meets queries that are gathered
  struct {
    Value x, y, dx, shares, shifts, rests, sums; ///< of rows; numbers also of columns
    Tile tile;                                   ///< of columns
  } gathered;
  Value taken;       ///< of query rows, or columns of the tile: 1 where they take part in it; null: all do
  Value lastTile;    ///< with a valid column
  Value validKeys;   ///< tokens
  Value meanWeights; ///< of a tile of means, or of the item's
  std::vector<TableOfPass> tables;
  std::optional<TablePassSlots> ofTable;
  std::optional<TableScatter> scattered; ///< of a head's pairs, where these are scattered to entries
  Value share;                           ///< where entries of the item lie in what it adds to
};

} // namespace tercet::compiler
