#include "GradientItems.h"

#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t warpsOfItems = 4; ///< of a block of column_items, 32 lines each
constexpr int64_t leastPart = 8;    ///< steps: what keeping and adding a part costs is small beside these
constexpr int64_t entryBytes = 16;  ///< of an item, or of a line in parts

constexpr const char *superLists = "super_key_", *keyLists = "key_";

/// At most so many parts beyond the lines, and lines in parts; and half of the parts.
Expr spareLines(const Expr &lines) { return ceildiv(lines, longColumns); }

using Sizes = std::vector<std::pair<std::string, Expr>>;
Sizes sizesOf(const Expr &lines) { return {{"lines", lines}, {"spare_lines", spareLines(lines)}}; }

GpuStage makeItems(MLIRContext &context, const GpuProgram &program, const std::string &name, const Expr &lines) {
  Expr spare = spareLines(lines);
  auto lower = [&context, &program, name] {
    StageKernel kernel(context, program, name + "items", {"part", "pair", "unused"}, 32 * warpsOfItems);
    GpuKernelBuilder &b = kernel.b;
    Type i32 = b.builder.getI32Type();
    Value lines = b.size("lines", "lines");
    b.call("column_items", "column_items", {b.integer(warpsOfItems), b.integer(longColumns), b.integer(leastPart)},
           {b.item(0), b.item(1), b.size("heads_per_key_head", "R"), lines,
            b.pointer(i32, "counts", "@" + name + "counts"), b.pointer(i32, "items", "@" + name + "items"),
            b.pointer(i32, "sums", "@" + name + "sums")});
    return kernel.finish(0);
  };
  GpuStage stage =
      makeStage(name + "items", "select", {ceildiv(lines, 32 * warpsOfItems), sym("G"), 1}, "line per thread", lower);
  stage.sizes = sizesOf(lines);
  stage.buffers.push_back(
      {name + "items", sym("G") * (lines + spare) * entryBytes, "lines of key rows, longest first"});
  stage.buffers.push_back({name + "sums", sym("G") * spare * entryBytes, "lines of key rows that come in parts"});
  return stage;
}

} // namespace

void addListItems(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program, bool ofSuperRows) {
  stages.push_back(makeItems(context, program, ofSuperRows ? superLists : keyLists,
                             ceildiv(program.keys(), (ofSuperRows ? 2 : 1) * program.blockK)));
}

void startItems(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program, GradientKernel &kernel,
                std::vector<tkern::GpuScheduleAttr> &schedules, const Expr &rows) {
  if (schedules.empty() || schedules.front().getSplit() == 0)
    return;
  if (kernel.pass->listed()) {
    bool joined = llvm::any_of(schedules, [&](tkern::GpuScheduleAttr schedule) {
      return GradientLayout(context, program, kernel, schedule).superRows;
    });
    kernel.lineRows = (joined ? 2 : 1) * program.blockK;
    kernel.items = joined ? superLists : keyLists;
  } else {
    kernel.lineRows = schedules.front().getBlockRows();
    kernel.countedCols = schedules.front().getKeys();
    kernel.items = kernel.name + "_";
  }
  llvm::erase_if(schedules,
                 [&](tkern::GpuScheduleAttr schedule) { return kernel.lineRows % schedule.getBlockRows() != 0; });
  if (kernel.pass->listed())
    return;
  // Counted in the tiles of the first schedule: another one finds parts of other lengths, and takes all steps, too.
  GradientKernel counts{kernel.items + "counts",       kernel.pass,     /*ofX=*/false,      /*ofY=*/false,
                        GradientKernel::Makes::counts, kernel.lineRows, kernel.countedCols, kernel.items};
  Expr lines = ceildiv(rows, kernel.lineRows);
  GpuStage stage = makeStage(counts.name, "select", {lines, sym("G"), 1}, textOf(schedules.front()),
                             [&context, &program, counts, schedule = schedules.front()] {
                               return lowerGradient(context, program, counts, schedule);
                             });
  stage.sizes = sizesOf(lines);
  stage.buffers.push_back(
      {kernel.items + "counts", sym("G") * sym("R") * lines * 4, "steps of lines of key rows by query head"});
  stages.push_back(std::move(stage));
  stages.push_back(makeItems(context, program, kernel.items, lines));
}

std::vector<std::pair<std::string, Expr>> sizesOfItems(const GradientKernel &kernel, const Expr &rows) {
  return kernel.lineRows == 0 ? Sizes() : sizesOf(ceildiv(rows, kernel.lineRows));
}

Expr blocksOfItems(const GradientKernel &kernel, tkern::GpuScheduleAttr schedule, const Expr &rows) {
  if (kernel.lineRows == 0)
    return ceildiv(rows, schedule.getBlockRows());
  Expr lines = ceildiv(rows, kernel.lineRows);
  return (lines + spareLines(lines)) * (kernel.lineRows / schedule.getBlockRows());
}

void endItems(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
              const GradientKernel &kernel, tkern::GpuScheduleAttr schedule, const Expr &rows) {
  if (kernel.lineRows == 0)
    return;
  GradientKernel sums = kernel;
  sums.name += "_sums";
  sums.makes = GradientKernel::Makes::sums;
  int64_t warps = 4;
  while (kernel.lineRows % (16 * warps) != 0)
    --warps;
  schedule = tkern::GpuScheduleAttr::get(&context, tkern::WorkerKind::Warp, warps, /*keys=*/16, /*slots=*/1,
                                         tkern::Space::Shared, 0, 0, schedule.getSplit());
  Expr lines = ceildiv(rows, kernel.lineRows), spare = spareLines(lines);
  GpuStage stage = makeStage(
      sums.name, "gradient", {spare * (kernel.lineRows / schedule.getBlockRows()), sym("G"), 1}, textOf(schedule),
      [&context, &program, sums, schedule] { return lowerGradient(context, program, sums, schedule); });
  stage.sizes = sizesOf(lines);
  Expr slotRows = sym("G") * spare * (2 * kernel.lineRows);
  if (kernel.ofX)
    stage.buffers.push_back({"parts_dk", slotRows * (4 * program.paddedHeadDim()), "sums of dK of parts of lines"});
  if (kernel.ofY)
    stage.buffers.push_back({"parts_dv", slotRows * (4 * program.paddedValueDim()), "sums of dV of parts of lines"});
  stages.push_back(std::move(stage));
}

} // namespace tercet::compiler
