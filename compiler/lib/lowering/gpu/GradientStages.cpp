// Which kernels a backward takes, with which schedules, and the buffers between them.
#include "GradientStages.h"

#include "AttendStages.h"
#include "BranchGradient.h"
#include "GpuRanges.h"
#include "GradientKernel.h"
#include "LinearGradient.h"
#include "SelectStages.h"
#include "TileStages.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// Registers of a thread beside tiles: addresses, operands on their way.
constexpr int64_t otherRegisters = 44, registersOfThread = 255;
constexpr int64_t warpsOfLists = 8; ///< of a block of transposed_lists, a key block each

// More warps share tiles of columns, more columns amortise a step's barriers: both as far as registers and shared memory go.
std::vector<tkern::GpuScheduleAttr> schedulesOf(MLIRContext &context, const GpuProgram &program,
                                                const GradientKernel &kernel, const CudaTarget &target) {
  bool listed = kernel.pass->listed(), ofMeans = kernel.pass->ofMeans;
  int64_t blockRows = !listed ? 0 : kernel.pass->ofKeys ? program.blockK : program.blockQ;
  int64_t blockCols = kernel.pass->ofKeys ? (listed || ofMeans ? program.blockQ : 0) : listed ? program.blockK : 0;
  std::vector<tkern::GpuScheduleAttr> schedules;
  for (int64_t warps : {4, 5, 3, 2, 1})
    for (int64_t cols : {64, 48, 32, 16}) {
      if (blockRows % (16 * warps) != 0 || blockCols % cols != 0)
        continue;
      auto schedule = tkern::GpuScheduleAttr::get(&context, tkern::WorkerKind::Warp, warps, cols, /*slots=*/2,
                                                  tkern::Space::Shared, 0, 0);
      GradientLayout layout(context, program, kernel, schedule);
      if (layout.sharedBytes <= target.sharedBytes && layout.tileRegisters + otherRegisters <= registersOfThread)
        schedules.push_back(schedule);
    }
  return schedules;
}

OwningOpRef<ModuleOp> lowerTransposedLists(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "transposed_lists", {"part", "member", "unused"}, 32 * warpsOfLists);
  GpuKernelBuilder &b = kernel.b;
  Type i32 = b.builder.getI32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "classes", 4);
  inputs.append({b.pointer(b.builder.getI8Type(), "rules", program.selection.hasRules() ? "@rules" : ""),
                 b.pointer(i32, "q_len", "q_len"), b.pointer(i32, "k_len", "k_len"), b.size("key_heads", "HKV"),
                 b.size("heads_per_key_head", "R"), b.size("queries", "N"), b.size("keys", "M"),
                 b.size("first_pair", "G0"), b.pointer(i32, "lists", "@key_lists"),
                 b.pointer(i32, "counts", "@key_counts")});
  b.call("transposed_lists", "transposed_lists",
         {b.integer(program.blockQ), b.integer(program.blockK), b.integer(warpsOfLists)}, inputs);
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
    if (program.inBranches())
      attends.emplace(context, program, target, remarks);
    if (program.order)
      addTileStages(stages, context, program);
    addRangeStages(stages, context, program);
    if (stage.exact && !attends)
      addBranchRows(stages, context, program, program.gradient.front());
    if (program.classified())
      addSelectStages(stages, context, program, attends && attends->superRows);
    if (program.listed())
      add("transposed_lists", "select", {ceildiv(program.keyBlocks(), warpsOfLists), GR, 1}, "key block per warp",
          lowerTransposedLists);
    if (stage.means) { // no state: its shape does not matter
      StateShape shape(program, target);
      stages.push_back(makeStage(
          "prologue", "prologue", {program.keyBlocks(), sym("G"), 1}, "key block per block",
          [&context = context, &program = program, shape] { return lowerPrologue(context, program, shape); }));
    }
    if (program.linear)
      addLinearGradientStages(stages, context, program, target);
    if (attends)
      addBranches(*attends);
    else if (stage.exact)
      for (const GradientPass &pass : program.gradient)
        addPass(pass);
    if (program.order)
      addUntileStages(stages, context, program);
  }

private:
  using Lower = OwningOpRef<ModuleOp> (*)(MLIRContext &, const GpuProgram &);

  void add(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule, Lower lower) {
    stages.push_back(makeStage(std::move(kernel), std::move(stage), std::move(grid), std::move(schedule),
                               [&context = context, &program = program, lower] { return lower(context, program); }));
  }

  void addBranches(const AttendForms &attends) {
    addAttendStages(stages, context, program, attends);
    llvm::StringSet<> rows; // one for all branches under a softmax
    for (const GradientPass &pass : program.gradient) {
      if (pass.stores) {
        addSumStores(stages, context, program, pass);
        continue;
      }
      if (rows.insert(pass.rows->name).second)
        addBranchRows(stages, context, program, pass);
      addPass(pass);
      addSpreads(stages, context, program, pass);
    }
  }

  // Together where a thread holds the accumulators of both; else a kernel for each. One that has no schedule is refused when it is
  // compiled: in f32, at 256 columns, one warp with 16 columns per step and the list of a mask's steps take more than 99 KiB.
  void addPass(const GradientPass &pass) {
    GradientKernel both{pass.name, &pass, /*ofX=*/true, /*ofY=*/pass.ofKeys};
    std::vector<tkern::GpuScheduleAttr> schedules = schedulesOf(context, program, both, target);
    if (!pass.ofKeys || !schedules.empty())
      return addKernel(both, schedules);
    for (bool ofX : {true, false}) {
      GradientKernel one{pass.name + (ofX ? "_k" : "_v"), &pass, ofX, !ofX};
      addKernel(one, schedulesOf(context, program, one, target));
    }
  }

  void addKernel(const GradientKernel &kernel, const std::vector<tkern::GpuScheduleAttr> &schedules) {
    GpuStage stage;
    stage.kernel = kernel.name;
    stage.stage = "gradient";
    const AttendStage &of = *kernel.pass->forward;
    Expr rows = !kernel.pass->ofKeys   ? of.rows(program.rows())
                : kernel.pass->ofMeans ? program.keyBlocks()
                                       : of.keys(program.keys());
    for (tkern::GpuScheduleAttr schedule : schedules)
      stage.forms.push_back({textOf(schedule),
                             {ceildiv(rows, schedule.getBlockRows()), kernel.pass->ofKeys ? sym("G") : GR, 1},
                             [&context = context, &program = program, kernel, schedule] {
                               return lowerGradient(context, program, kernel, schedule);
                             }});
    // S, of X also dP, and a product per gradient.
    int64_t wide = program.headDim * (kernel.ofX ? 2 : 1), narrow = program.valueDim * (kernel.ofX + kernel.ofY);
    stage.flops =
        kernel.pass->pairs(program.rows(), program.keys(), program.blockQ, program.blockK) * (2 * (wide + narrow));
    stages.push_back(std::move(stage));
  }

  std::vector<GpuStage> &stages;
  MLIRContext &context;
  const GpuProgram &program;
  const CudaTarget &target;
  std::vector<std::string> &remarks;
  Expr GR = sym("G") * sym("R");
};

} // namespace

void addGradientStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                       const CudaTarget &target, std::vector<std::string> &remarks) {
  GradientStages(stages, context, program, target, remarks).build();
}

void addGradientBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  Expr heads = sym("G") * sym("R"), blocks = program.queryBlocks() * program.keyBlocks();
  addRangeBuffers(buffers, program);
  if (program.inBranches()) {
    addBranchBuffers(buffers, program);
  } else if (program.attends.back().exact) {
    buffers.push_back({"shifts", heads * program.rows() * 4, "-lse log2 e of query rows"});
    buffers.push_back({"rests", heads * program.rows() * 4, "what rounding left of the shifts"});
    buffers.push_back({"sums", heads * program.rows() * 4, "sums of dO O of query rows"});
  }
  if (program.linear)
    addLinearGradientBuffers(buffers, program);
  if (program.classified())
    addSelectBuffers(buffers, program);
  if (program.means()) {
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
