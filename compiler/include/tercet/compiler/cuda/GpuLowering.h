// GpuLowering: from a bound spec to one tkern.kernel for a GPU.
//
// The schedule is decided in attendSchedules and nowhere else: it lists every legal one, best first; the caller takes
// the first that its code generator accepts. lowerDense applies one.
#pragma once

#include "tercet/Tensor.h"
#include "tercet/compiler/cuda/CudaTarget.h"
#include "tercet/dialect/TercetDialect.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace tercet::compiler {

/// What a dense attention kernel is specialised for.
struct DenseProgram {
  int64_t headDim = 0, valueDim = 0; ///< multiples of 8, up to 256
  DType dtype = DType::bf16;         ///< bf16 or f16
  std::string scale;                 ///< the runtime parameter that scales scores; empty: 1 / sqrt(headDim)
};

/// Reads a spec without classification. unsupportedTarget where the spec has regions that have no GPU kernel, or the
/// dtype or a dimension is not one of the above, with what is legal.
Result<DenseProgram> readDenseSpec(ir::SpecOp spec, int64_t headDim, int64_t valueDim, DType dtype);

/// A schedule with why it stands where it does.
struct RankedSchedule {
  tkern::GpuScheduleAttr schedule;
  int64_t sharedBytes = 0; ///< of the block
};

/// The legal schedules for a target, best first; at least one for every legal program. remarks gets a sentence where
/// the warpgroup form is passed over on a target that has it.
std::vector<RankedSchedule> attendSchedules(mlir::MLIRContext &context, const DenseProgram &program,
                                            const CudaTarget &target, std::vector<std::string> &remarks);

/// A module with the one kernel @attend, verified. Arguments carry their symbols (Plan.h) in `tkern.arguments`, values
/// their names as locations; `tkern.shared_bytes` is the dynamic shared memory of a block. The grid is (blocks of query
/// rows, query heads, batches).
mlir::OwningOpRef<mlir::ModuleOp> lowerDense(mlir::MLIRContext &context, const DenseProgram &program,
                                             tkern::GpuScheduleAttr schedule);

/// The module as text whose SSA names are the values' names.
std::string printNamed(mlir::ModuleOp module);

/// The name that the lowering gave to a value; empty if none.
llvm::StringRef nameOf(mlir::Value value);

/// Names of discardable attributes of a kernel.
inline constexpr llvm::StringLiteral argumentsAttribute = "tkern.arguments";
inline constexpr llvm::StringLiteral sharedBytesAttribute = "tkern.shared_bytes";

} // namespace tercet::compiler
