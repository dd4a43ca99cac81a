// Which kernels a backward takes, with which schedules, and the buffers between them.
#include "GradientStages.h"

#include "GpuRanges.h"
#include "GradientKernel.h"
#include "LinearGradient.h"
#include "SelectStages.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t warpsOfLists = 8; ///< of a block of transposed_lists, a key block each

OwningOpRef<ModuleOp> lowerGradientRows(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "gradient_rows", {"part", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  auto add = [&](StringRef name, StringRef symbol, Type element) {
    inputs.push_back(b.pointer(element, name, symbol));
    for (auto [axis, number] : {std::pair{"_batch", ".0"}, {"_head", ".1"}, {"_row", ".2"}})
      inputs.push_back(b.size((name + axis).str(), (symbol + number).str()));
  };
  add("o", "o", f32);
  add("d_o", "do", kernel.element());
  add("lse", "lse", f32);
  add("lse_rest", "lse_rest", f32);
  inputs.append({b.pointer(b.builder.getI32Type(), "q_len", "q_len"), b.size("key_heads", "HKV"),
                 b.size("heads_per_key_head", "R"), b.size("queries", "N"), b.size("first_pair", "G0"),
                 b.pointer(f32, "shifts", "@shifts"), b.pointer(f32, "rests", "@rests"),
                 b.pointer(f32, "sums", "@sums")});
  b.call("gradient_rows", "gradient_rows",
         {b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.valueDim), b.integer(queryNumbersPad)},
         inputs);
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerTransposedLists(MLIRContext &context, const GpuProgram &program, bool superRows) {
  StageKernel kernel(context, program, "transposed_lists", {"part", "member", "unused"}, 32 * warpsOfLists);
  GpuKernelBuilder &b = kernel.b;
  Type i32 = b.builder.getI32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "classes", 4);
  inputs.append({b.pointer(b.builder.getI8Type(), "rules", program.selection.hasRules() ? "@rules" : ""),
                 b.pointer(i32, "q_len", "q_len"), b.pointer(i32, "k_len", "k_len"), b.size("key_heads", "HKV"),
                 b.size("heads_per_key_head", "R")});
  Value queries = b.size("queries", "N"), keys = b.size("keys", "M");
  inputs.append({queries, keys, b.size("first_pair", "G0")});
  Value lists = b.pointer(i32, "lists", "@key_lists"), counts = b.pointer(i32, "counts", "@key_counts");
  inputs.append({lists, counts});
  b.call("transposed_lists", "transposed_lists",
         {b.integer(program.blockQ), b.integer(program.blockK), b.integer(warpsOfLists)}, inputs);
  if (superRows)
    b.call("join_lists", "super_row", {b.integer(warpsOfLists), b.integer(program.blockK), b.integer(program.blockQ)},
           {b.item(0), b.item(1), keys, queries, lists, counts, b.pointer(i32, "super_lists", "@super_key_lists"),
            b.pointer(i32, "super_counts", "@super_key_counts")});
  return kernel.finish(0);
}

class GradientStages {
public:
  GradientStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                 const CudaTarget &target, std::vector<std::string> &remarks)
      : stages(stages), context(context), program(program), target(target), remarks(remarks) {}

  void build() {
    const AttendStage &stage = program.attends.back();
    std::vector<GpuStage> passes;
    if (stage.exact)
      for (const GradientPass &pass : program.gradient)
        addPass(passes, pass);
    addRangeStages(stages, context, program);
    if (stage.exact)
      add("gradient_rows", "prologue", {ceildiv(paddedQueries(), stageThreads / 32), GR, 1}, "row per warp",
          lowerGradientRows);
    if (program.classified())
      addSelectStages(stages, context, program, joinsQueries);
    if (stage.listed)
      add("transposed_lists", "select", {ceildiv(program.keyBlocks(), warpsOfLists), GR, 1}, "key block per warp",
          [joins = joinsKeys](MLIRContext &context, const GpuProgram &program) {
            return lowerTransposedLists(context, program, joins);
          });
    if (program.linear)
      addLinearGradientStages(stages, context, program, target);
    std::move(passes.begin(), passes.end(), std::back_inserter(stages));
  }

private:
  using Lower = std::function<OwningOpRef<ModuleOp>(MLIRContext &, const GpuProgram &)>;

  void add(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule, Lower lower) {
    stages.push_back(makeStage(std::move(kernel), std::move(stage), std::move(grid), std::move(schedule),
                               [&context = context, &program = program, lower] { return lower(context, program); }));
  }

  // Together where a thread holds the accumulators of both; else a kernel for each.
  void addPass(std::vector<GpuStage> &to, const GradientPass &pass) {
    if (addKernel(to, {pass.name, &pass, /*ofX=*/true, /*ofY=*/pass.ofKeys}))
      return;
    bool fit = pass.ofKeys && addKernel(to, {pass.name + "_k", &pass, true, false}) &&
               addKernel(to, {pass.name + "_v", &pass, false, true});
    TERCET_CHECK(fit, "one warp with 16 columns per step fits every architecture");
  }

  bool addKernel(std::vector<GpuStage> &to, const GradientKernel &kernel) {
    std::vector<std::string> reasons;
    std::vector<tkern::GpuScheduleAttr> schedules = gradientSchedules(context, program, kernel, target, reasons);
    if (schedules.empty())
      return false;
    remarks.insert(remarks.end(), reasons.begin(), reasons.end());
    for (tkern::GpuScheduleAttr schedule : schedules)
      (kernel.pass->ofKeys ? joinsKeys : joinsQueries) |= GradientLayout(context, program, kernel, schedule).superRows;
    GpuStage stage;
    stage.kernel = kernel.name;
    stage.stage = "gradient";
    for (tkern::GpuScheduleAttr schedule : schedules)
      stage.forms.push_back({textOf(schedule),
                             {ceildiv(kernel.pass->ofKeys ? sym("M") : sym("N"), schedule.getBlockRows()),
                              kernel.pass->ofKeys ? sym("G") : GR, 1},
                             [&context = context, &program = program, kernel, schedule] {
                               return lowerGradient(context, program, kernel, schedule);
                             }});
    // S, of X also dP, and a product per gradient.
    int64_t wide = program.headDim * (kernel.ofX ? 2 : 1), narrow = program.valueDim * (kernel.ofX + kernel.ofY);
    stage.flops = kernel.pass->forward->exactFlops(sym("N"), sym("M"), program.blockQ, program.blockK, wide, narrow);
    to.push_back(std::move(stage));
    return true;
  }

  std::vector<GpuStage> &stages;
  MLIRContext &context;
  const GpuProgram &program;
  const CudaTarget &target;
  std::vector<std::string> &remarks;
  bool joinsQueries = false, joinsKeys = false; ///< whether a pass may take lists of super rows
  Expr GR = sym("G") * sym("R");
};

} // namespace

Expr paddedQueries() { return ceildiv(sym("N"), queryNumbersPad) * queryNumbersPad; }

void addGradientStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                       const CudaTarget &target, std::vector<std::string> &remarks) {
  GradientStages(stages, context, program, target, remarks).build();
}

void addGradientBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  Expr heads = sym("G") * sym("R"), blocks = program.queryBlocks() * program.keyBlocks();
  addRangeBuffers(buffers, program);
  if (program.attends.back().exact) {
    buffers.push_back({"shifts", heads * paddedQueries() * 4, "-lse log2 e of query rows"});
    buffers.push_back({"rests", heads * paddedQueries() * 4, "what rounding left of the shifts"});
    buffers.push_back({"sums", heads * paddedQueries() * 4, "sums of dO O of query rows"});
  }
  if (program.linear)
    addLinearGradientBuffers(buffers, program);
  if (program.classified())
    addSelectBuffers(buffers, program);
  if (!program.attends.back().listed)
    return;
  buffers.push_back({"key_lists", heads * blocks * 4, "critical query blocks of key blocks"});
  buffers.push_back({"key_counts", heads * program.keyBlocks() * 4, "lengths of these lists"});
}

} // namespace tercet::compiler
