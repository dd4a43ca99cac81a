// Items of passes over blocks of keys, whose columns are the queries that see them: some blocks are seen by all queries, as the first
// keys of a stream are, and one block of threads would still work on these when all others are done. So lines come longest first, and
// long ones in parts (column_items.cuh), where the schedule of a pass says so:
//
//   <pass>_counts   steps of lines where a mask alone says which there are; lists have their lengths
//   <lines>items    items of a pair, and its lines in parts
//   <pass>          an item each; what a part adds up goes to the workspace
//   <pass>_sums     the parts of a line, in their order, and what a whole line stores
//
// The workspace holds no more parts than half of the lines: f32 sums of half of the keys.
#pragma once

#include "GradientKernel.h"

namespace tercet::compiler {

/// Where the schedules of a kernel ask for items: gives it its lines, drops the schedules that do not fit these, and adds what has to
/// run before it where its lists are found on the way. `lines`: those of the pass's rows, of which there are so many.
void startItems(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                GradientKernel &kernel, std::vector<tkern::GpuScheduleAttr> &schedules, const Expr &rows);

/// The sizes that it takes under names of its own stage's.
std::vector<std::pair<std::string, Expr>> sizesOfItems(const GradientKernel &kernel, const Expr &rows);

/// Blocks of threads of it along its rows, in a schedule.
Expr blocksOfItems(const GradientKernel &kernel, tkern::GpuScheduleAttr schedule, const Expr &rows);

/// What runs behind it.
void endItems(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
              const GradientKernel &kernel, tkern::GpuScheduleAttr schedule, const Expr &rows);

/// The items of lists: of key blocks, or of super rows of these.
void addListItems(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                  bool ofSuperRows);

} // namespace tercet::compiler
