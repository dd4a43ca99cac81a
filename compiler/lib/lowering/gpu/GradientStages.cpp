// Which kernels a backward takes, with which schedules, and the buffers between them.
#include "GradientStages.h"

#include "AttendStages.h"
#include "BranchGradient.h"
#include "GpuRanges.h"
#include "GradientItems.h"
#include "LinearGradient.h"
#include "MeanStages.h"
#include "PoolWeightGradient.h"
#include "SelectStages.h"
#include "TableStages.h"
#include "TileStages.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t warpsOfLists = 8; ///< of a block of transposed_lists, a key block each

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
    std::optional<AttendForms> attends;
    std::vector<GpuStage> passes;
    if (program.inBranches()) {
      attends.emplace(context, program, target, remarks);
      addBranches(passes, *attends);
    } else if (stage.exact) {
      for (const GradientPass &pass : program.gradient)
        addPass(passes, pass);
    }
    if (program.order)
      addTileStages(stages, context, program);
    addRangeStages(stages, context, program);
    addTableClears(stages, context, program);
    if (stage.exact && !attends)
      addBranchRows(stages, context, program, program.gradient.front());
    if (program.classified())
      addSelectStages(stages, context, program, joinsQueries || (attends && attends->superRows));
    if (program.listed())
      add("transposed_lists", "select", {ceildiv(program.keyBlocks(), warpsOfLists), GR, 1}, "key block per warp",
          [joins = joinsKeys](MLIRContext &context, const GpuProgram &program) {
            return lowerTransposedLists(context, program, joins);
          });
    for (auto [wanted, ofSuperRows] : {std::pair{itemsOfKeys, false}, {itemsOfSuperRows, true}})
      if (wanted)
        addListItems(stages, context, program, ofSuperRows);
    if (program.means()) { // no state: its shape does not matter
      StateShape shape(program, target);
      stages.push_back(makeStage(
          "prologue", "prologue", {program.keyBlocks(), sym("G"), 1}, "key block per block",
          [&context = context, &program = program, shape] { return lowerPrologue(context, program, shape); }));
    }
    if (program.linear)
      addLinearGradientStages(stages, context, program, target);
    std::move(passes.begin(), passes.end(), std::back_inserter(stages));
    addTableSums(stages, context, program);
    if (program.order)
      addUntileStages(stages, context, program);
  }

private:
  using Lower = std::function<OwningOpRef<ModuleOp>(MLIRContext &, const GpuProgram &)>;

  void add(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule, Lower lower) {
    stages.push_back(makeStage(std::move(kernel), std::move(stage), std::move(grid), std::move(schedule),
                               [&context = context, &program = program, lower] { return lower(context, program); }));
  }

  void addBranches(std::vector<GpuStage> &to, const AttendForms &attends) {
    addAttendStages(to, context, program, attends);
    llvm::StringSet<> rows; // one for all branches under a softmax
    for (const GradientPass &pass : program.gradient) {
      if (pass.stores) {
        addSumStores(to, context, program, pass);
        continue;
      }
      if (rows.insert(pass.rows->name).second) {
        addBranchRows(to, context, program, pass);
        addGateShares(to, context, program, pass);
      }
      if (pass.ofMeanRows())
        addMeanGradient(to, context, program, pass);
      else
        addPass(to, pass);
      addSpreads(to, context, program, pass);
      addPoolWeightShares(to, context, program, pass);
    }
  }

  // Together where a thread holds the accumulators of both; else a kernel for each. One that has no schedule is refused when it is
  // compiled: in f32, at 256 columns, one warp with 16 columns per step and the list of a mask's steps take more than 99 KiB.
  void addPass(std::vector<GpuStage> &to, const GradientPass &pass) {
    if (pass.ofTable)
      return addTablePass(to, context, program, target, pass, remarks);
    GradientKernel both{pass.name, &pass, /*ofX=*/true, /*ofY=*/pass.ofKeys};
    std::vector<std::string> reasons, pruned;
    std::vector<tkern::GpuScheduleAttr> schedules = gradientSchedules(context, program, both, target, reasons, &pruned);
    if (!pass.ofKeys || !schedules.empty()) {
      remarks.insert(remarks.end(), reasons.begin(), reasons.end());
      return addKernel(to, both, schedules, pruned);
    }
    for (bool ofX : {true, false}) {
      GradientKernel one{pass.name + (ofX ? "_k" : "_v"), &pass, ofX, !ofX};
      pruned.clear();
      schedules = gradientSchedules(context, program, one, target, remarks, &pruned);
      addKernel(to, one, schedules, pruned);
    }
  }

  void addKernel(std::vector<GpuStage> &to, GradientKernel kernel, std::vector<tkern::GpuScheduleAttr> schedules,
                 std::vector<std::string> pruned) {
    for (tkern::GpuScheduleAttr schedule : schedules)
      (kernel.pass->ofKeys ? joinsKeys : joinsQueries) |= GradientLayout(context, program, kernel, schedule).superRows;
    GpuStage stage;
    stage.kernel = kernel.name;
    stage.stage = "gradient";
    const AttendStage &of = *kernel.pass->forward;
    Expr rows = !kernel.pass->ofKeys   ? of.rows(program.rows())
                : kernel.pass->ofMeans ? program.keyBlocks()
                                       : of.keys(program.keys());
    std::vector<tkern::GpuScheduleAttr> all = schedules;
    startItems(to, context, program, kernel, schedules, rows);
    for (tkern::GpuScheduleAttr schedule : all)
      if (!llvm::is_contained(schedules, schedule))
        pruned.push_back(fmt::format("{}: whole-lines: {} rows of a line, {} of a block", textOf(schedule),
                                     kernel.lineRows, schedule.getBlockRows()));
    stage.pruned = std::move(pruned);
    stage.sizes = sizesOfItems(kernel, rows);
    if (kernel.lineRows > 0 && kernel.pass->listed())
      (kernel.lineRows == program.blockK ? itemsOfKeys : itemsOfSuperRows) = true;
    for (tkern::GpuScheduleAttr schedule : schedules)
      stage.forms.push_back(
          gradientForm(context, program, kernel, schedule,
                       {blocksOfItems(kernel, schedule, rows), kernel.pass->ofKeys ? sym("G") : GR, 1}));
    // S, of X also dP, and a product per gradient.
    int64_t wide = program.headDim * (kernel.ofX ? 2 : 1), narrow = program.valueDim * (kernel.ofX + kernel.ofY);
    stage.flops =
        kernel.pass->pairs(program.rows(), program.keys(), program.blockQ, program.blockK) * (2 * (wide + narrow));
    to.push_back(std::move(stage));
    if (!schedules.empty())
      endItems(to, context, program, kernel, schedules.front(), rows);
  }

  std::vector<GpuStage> &stages;
  MLIRContext &context;
  const GpuProgram &program;
  const CudaTarget &target;
  std::vector<std::string> &remarks;
  bool joinsQueries = false, joinsKeys = false;       ///< whether a pass may take lists of super rows
  bool itemsOfKeys = false, itemsOfSuperRows = false; ///< whether a pass takes items of lists
  Expr GR = sym("G") * sym("R");
};

} // namespace

Expr paddedQueries(const Expr &rows) { return ceildiv(rows, queryNumbersPad) * queryNumbersPad; }

void addGradientStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                       const CudaTarget &target, std::vector<std::string> &remarks) {
  GradientStages(stages, context, program, target, remarks).build();
}

void addGradientBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  Expr heads = sym("G") * sym("R"), blocks = program.queryBlocks() * program.keyBlocks();
  addRangeBuffers(buffers, program);
  addTableBuffers(buffers, program);
  if (program.inBranches()) {
    addBranchBuffers(buffers, program);
  } else if (program.attends.back().exact) {
    Expr numbers = heads * paddedQueries(program.rows()) * 4;
    buffers.push_back({"shifts", numbers, "-lse log2 e of query rows"});
    buffers.push_back({"rests", numbers, "what rounding left of the shifts"});
    buffers.push_back({"sums", numbers, "sums of dO O of query rows"});
  }
  if (program.linear)
    addLinearGradientBuffers(buffers, program);
  if (program.classified())
    addSelectBuffers(buffers, program);
  if (program.attends.back().means) {
    Expr ofRow = 4 * program.paddedHeadDim(), ofValue = 4 * program.paddedValueDim();
    Expr means = sym("G") * program.keyBlocks();
    buffers.push_back({"mean_dq", heads * program.rows() * ofRow, "sums of dQ over block means"});
    if (program.isWide())
      buffers.push_back({"mean_shares", heads * program.rows() * 4, "sums of P over block means"});
    buffers.push_back({"mean_dk", means * ofRow, "gradients of block means of keys, for each of their tokens"});
    buffers.push_back({"mean_dv", means * ofValue, "gradients of block means of values, for each of their tokens"});
  }
  if (!program.listed())
    return;
  buffers.push_back({"key_lists", heads * blocks * 4, "critical query blocks of key blocks"});
  buffers.push_back({"key_counts", heads * program.keyBlocks() * 4, "lengths of these lists"});
}

} // namespace tercet::compiler
