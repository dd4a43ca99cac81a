// GpuLowering: from a program to tkern kernels for a GPU.
//
// A program is a list of stages in the order of their launches, each one kernel in several forms, best first; the caller
// takes the first form that its code generator accepts. Forms carry every size that was decided: nothing downstream
// chooses a tile again.
#pragma once

#include "tercet/Plan.h"
#include "tercet/compiler/cuda/CudaTarget.h"
#include "tercet/compiler/cuda/GpuProgram.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace tercet::compiler {

/// One way to run a stage. lower makes a module with the stage's kernel, verified: arguments carry their symbols in
/// `tkern.arguments`, values their names as locations; `tkern.shared_bytes` is the dynamic shared memory of a block.
struct GpuForm {
  std::string schedule; ///< as text
  std::array<Expr, 3> grid = {1, 1, 1};
  std::function<mlir::OwningOpRef<mlir::ModuleOp>()> lower;
  tkern::GpuScheduleAttr attribute = {}; ///< what the text says; null where a stage has one form
  int64_t sharedBytes = 0;               ///< of a block, where there is an attribute
  int64_t registers = 0;                 ///< of a thread that holds tiles, as the lowering counts them
};

struct GpuStage {
  std::string kernel;   ///< its name
  std::string stage;    ///< the timing bucket (PlanNode)
  bool once = false;    ///< runs before the loop over groups
  bool last = false;    ///< runs after it
  bool asGiven = false; ///< under a token order: takes tensors as they are, not in the order of tiles (TileStages.h)
  std::string zeroed;   ///< a buffer that becomes 0 before, where the stage runs
  std::vector<PlanBuffer> buffers; ///< that it needs beside those of the program; those of a name are one
  int64_t passes = 1;              ///< launches, which the symbol "pass" tells apart
  Expr flops = 0;
  std::vector<std::pair<std::string, Expr>> sizes; ///< that its kernel takes under names of the stage's own
  std::vector<GpuForm> forms;                      ///< none: the target has no room for it, and compiling says so
  std::vector<std::string> pruned; ///< schedules that are none of the forms: the rule, and what it says of it
};

/// A schedule of an attend stage with its shared memory.
struct RankedSchedule {
  tkern::GpuScheduleAttr schedule;
  int64_t sharedBytes = 0; ///< of the block
  int64_t registers = 0;   ///< of a thread that holds tiles
  bool superRows = false;  ///< takes the lists of super rows: two query blocks, one per warpgroup
};

/// The legal schedules of an attend stage for a target, best first; at least one for every program. remarks gets a
/// sentence where the warpgroup form is passed over on a target that has it; pruned, where it is given, one per schedule that is not
/// legal.
std::vector<RankedSchedule> attendSchedules(mlir::MLIRContext &context, const GpuProgram &program,
                                            const AttendStage &stage, const CudaTarget &target,
                                            std::vector<std::string> &remarks,
                                            std::vector<std::string> *pruned = nullptr);

/// The kernel of an attend stage in one schedule. Its grid is (blocks of the stage's rows, query heads of the group).
mlir::OwningOpRef<mlir::ModuleOp> lowerAttend(mlir::MLIRContext &context, const GpuProgram &program,
                                              const AttendStage &stage, tkern::GpuScheduleAttr schedule);

/// The stages of a program. `context` and `program` are referred to by the forms.
std::vector<GpuStage> gpuStages(mlir::MLIRContext &context, const GpuProgram &program, const CudaTarget &target,
                                std::vector<std::string> &remarks);

/// Puts the forms first that the problem's schedules name. invalidArgument, with what there is, where there is no such kernel, or no such
/// form; but those of a row of a database are passed over with a remark.
Status preferForms(std::vector<GpuStage> &stages, const Problem &problem, std::vector<std::string> &remarks);

/// Knobs of a schedule by name, in the order of its text.
std::vector<std::pair<std::string, std::string>> knobsOf(tkern::GpuScheduleAttr schedule);

/// Milliseconds of a stage in one of its forms for a call, by the floor model (docs/decisions/0028-schedule-spaces.md): for comparing
/// forms with each other. 0 where the form has no attribute.
double predictedMs(const GpuProgram &program, const GpuStage &stage, const GpuForm &form, const CudaTarget &target,
                   const ExpectedCall &call);

/// What a kernel's argument binds to at launch.
struct GpuArgument {
  enum class Kind { pointer, size, number, tensorMap };
  Kind kind = Kind::pointer;
  /// A tensor ("q"), a buffer ("@lists"), nothing ("": a null pointer), a symbol of Plan.h ("q.0", "param.sink"), a size that follows
  /// from these ("places.q", "padded.q"), one of the stage's own, the number of the launch ("pass") or, for numbers, a runtime parameter ("param.keep"). Behind
  /// givenPrefix a tensor and its strides are those of the call, where the stage has copies in the order of tiles for others.
  std::string symbol;
  int64_t boxRows = 0, boxCols = 0; ///< of a tensor map
};
std::vector<GpuArgument> argumentsOf(tkern::KernelOp kernel);
inline constexpr llvm::StringLiteral givenPrefix = "given.";

/// The plan of a program whose stages are launched with these forms and arguments, one of each per stage.
Plan buildGpuPlan(ir::SpecOp spec, const GpuProgram &program, const std::vector<GpuStage> &stages,
                  const std::vector<size_t> &forms, const std::vector<std::vector<GpuArgument>> &arguments);

/// The module as text whose SSA names are the values' names.
std::string printNamed(mlir::ModuleOp module);

/// The name that the lowering gave to a value; empty if none.
llvm::StringRef nameOf(mlir::Value value);

/// Names of discardable attributes of a kernel.
inline constexpr llvm::StringLiteral argumentsAttribute = "tkern.arguments";
inline constexpr llvm::StringLiteral sharedBytesAttribute = "tkern.shared_bytes";
inline constexpr llvm::StringLiteral threadsAttribute = "tkern.threads"; ///< of a block, where there is no schedule

/// Blocks of threads that are to fit on a processor at least: what ptxas shares registers out for.
inline constexpr llvm::StringLiteral blocksAttribute = "tkern.blocks";

} // namespace tercet::compiler
