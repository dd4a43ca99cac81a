// GpuPairScope: tables, parameters and sizes that regions take from outside, as arguments of a GPU kernel.
#pragma once

#include "GpuKernelBuilder.h"
#include "PairRegion.h"

#include <optional>

namespace tercet::compiler {

class GpuPairScope : public PairScope {
public:
  explicit GpuPairScope(GpuKernelBuilder &b) : b(b) {}

  TableView table(llvm::StringRef name, ir::TableType type) override;
  mlir::Value parameter(mlir::OpBuilder &builder, ir::ParamOp param) override;
  mlir::Value extent(mlir::OpBuilder &builder, ir::Extent extent) override;
  /// A workspace buffer.
  mlir::Value buffer(llvm::StringRef name, mlir::Type element);
  GpuKernelBuilder &builder() { return b; }
  /// An index as regions compute with it.
  mlir::Value narrow(llvm::StringRef name, mlir::Value value) {
    return b.make<mlir::arith::IndexCastOp>(name, b.builder.getI32Type(), value);
  }

  /// Starts a region of a stage in `region`, or ends the one there where `body` is null: what depends on batch and head alone, its arguments
  /// `first` and the next one, is computed here.
  void start(std::optional<PairRegion> &region, mlir::Region *body, unsigned first, mlir::Value batch, mlir::Value head,
             mlir::arith::FastMathFlags flags = {});
  /// From products to the natural units of score regions: the scale of the stage, f64, or `otherwise` where it has none.
  mlir::Value scoreFactor(mlir::Value scale, double otherwise);

  /// The position of the token at a place of the queries or keys, both i32: the place, or what the table of a token order
  /// (TileStages.h) says; -1 where there is no token.
  mlir::Value position(mlir::Value place, bool isKey);

  /// Rows of queries that a kernel walks: tokens, or under a token order places of them, which are others than extents count.
  struct Rows {
    mlir::Value all, live;
  };
  /// For kernels of queries: sets what follows, for a batch entry, whose lengths become arguments.
  Rows startHead(mlir::Value batch, bool isOrdered);
  /// Under a token order: sets what follows, for a batch entry; null places: positions are asked for of no such tokens.
  void startOrder(mlir::Value batch, mlir::Value ofQueries, mlir::Value ofKeys);
  /// Entry `at` (i32) of the batch entry's part of a table of the token order, of `count` entries.
  mlir::Value orderEntry(llvm::StringRef name, llvm::StringRef table, mlir::Value at, mlir::Value count);

  mlir::Value liveRows, liveKeys; ///< query and key tokens of the batch entry; set before extents are asked for
  mlir::Value placesOfQueries, placesOfKeys; ///< under a token order, set before positions are asked for; else null

private:
  /// A parameter of the launch, as an argument.
  mlir::Value given(const std::string &name, bool isInteger);

  GpuKernelBuilder &b;
  llvm::StringMap<TableView> tables;
  llvm::StringMap<mlir::Value> buffers, parameters; ///< arguments, each made once
  mlir::Value orderBatch;                           ///< i32
  mlir::Value heads, keyHeads, batches;             ///< arguments, made when they are first asked for
};

} // namespace tercet::compiler
