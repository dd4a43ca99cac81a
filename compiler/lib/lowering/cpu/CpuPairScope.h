// CpuPairScope: tables, parameters and sizes that regions take from outside, as arguments of a CPU kernel.
#pragma once

#include "KernelBuilder.h"
#include "PairOperands.h"
#include "PairRegion.h"

namespace tercet::compiler {

class CpuPairScope : public PairScope {
public:
  /// Adds the slots of `operands` to the kernel: per table its pointer, sizes and strides, then the parameters.
  /// PlanWriter::addPairOperands writes the same slots.
  CpuPairScope(KernelBuilder &k, const PairOperands &operands);

  TableView table(llvm::StringRef name, ir::TableType type) override { return tables.lookup(name); }
  Value parameter(mlir::OpBuilder &builder, ir::ParamOp param) override;
  Value extent(mlir::OpBuilder &builder, ir::Extent extent) override;

  /// Index values of the item; set before regions are cloned.
  Value validQ, validK, headsKV, headsPerKV;

private:
  KernelBuilder &k;
  llvm::StringMap<TableView> tables;
  llvm::StringMap<Value> parameters;
};

} // namespace tercet::compiler
