// Which kernels the gradient of a linear branch takes, over which grids, and the buffers between them.
#include "LinearGradient.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// How many blocks, states and parts there are.
struct LinearSizes {
  explicit LinearSizes(const GpuProgram &program)
      : queryStates(ceildiv(sym("N"), program.queryStateBlock())), keyStates(ceildiv(sym("M"), program.stateBlock())),
        weightParts(ceildiv(sym("M"), weightPartRows)), biasParts(ceildiv(sym("N"), biasPartRows)) {}
  Expr queryStates, keyStates;      ///< of a head, of a pair
  Expr weightParts, biasParts;      ///< of a pair, of a head
  Expr heads = sym("G") * sym("R"); ///< of a group
  Expr allHeads = sym("P") * sym("R");
};

/// 1 where the call asks for the gradient of a weight.
Expr wants(const std::string &weight) { return weight.empty() ? Expr(0) : Expr::symbol("d" + weight + ".present"); }

class LinearGradientStages {
public:
  LinearGradientStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                       const CudaTarget &target)
      : stages(stages), context(context), program(program), target(target), of(program) {}

  void build() {
    if (!program.weight.empty())
      addWeights();
    addStates();
    addQueries();
    addSets();
    addKeys();
    if (!program.weight.empty())
      addWeightGradient();
    if (!program.bias.empty())
      addBiasGradient();
  }

private:
  using Lower = OwningOpRef<ModuleOp> (*)(MLIRContext &, const GpuProgram &);
  using LowerShaped = OwningOpRef<ModuleOp> (*)(MLIRContext &, const GpuProgram &, const StateShape &);

  std::function<OwningOpRef<ModuleOp>()> bound(Lower lower) {
    return [&context = context, &program = program, lower] { return lower(context, program); };
  }
  GpuStage &add(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule, Lower lower) {
    return stages.emplace_back(
        makeStage(std::move(kernel), std::move(stage), std::move(grid), std::move(schedule), bound(lower)));
  }
  /// A kernel of products over blocks of tokens: `grid` without the chunks of value columns.
  GpuStage &add(std::string kernel, std::string stage, std::array<Expr, 2> grid, StateShape shape, LowerShaped lower) {
    auto bound = [&context = context, &program = program, lower, shape] { return lower(context, program, shape); };
    return stages.emplace_back(
        makeStage(std::move(kernel), std::move(stage), {grid[0], grid[1], program.paddedValueDim() / shape.valueCols},
                  fmt::format("{} value columns, {} tokens at a time", shape.valueCols, shape.partTokens), bound));
  }
  StateShape shapeOf(int64_t rows, int64_t block) const {
    return {rows, program.paddedValueDim(), block, program.isWide(), target};
  }

  void addWeights() {
    auto pack = [&](const char *name, Lower lower) {
      add(name, "prologue", {program.paddedValueDim(), 1, 1}, "row per block", lower).once = true;
    };
    pack("pack_weight", lowerWeight);
    pack("pack_transposed", lowerTransposedWeight);
  }

  // H_i as in the forward.
  void addStates() {
    add("value_centre", "prologue", {1, sym("G"), 1}, "pair per block", lowerValueCentre);
    StateShape shape(program, target);
    GpuStage &states = add("prologue", "prologue", {of.keyStates, sym("G")}, shape, lowerPrologue);
    states.flops = sym("G") * sym("M") * (2 * program.headDim * program.valueDim) * (program.weight.empty() ? 1 : 2);
    stages.push_back(makeSums("aggregate", program, of.queryStates, of.heads, of.keyStates, bound(lowerAggregate)));
  }

  void addQueries() {
    Expr products = of.heads * sym("N") * (2 * program.headDim * program.valueDim);
    add("query_gradient", "gradient", {ceildiv(sym("N"), stageThreads / 2), of.heads, 1}, rowsPerWarp,
        lowerQueryGradient)
        .flops = products;
    add("query_states", "gradient", {of.queryStates, of.heads},
        shapeOf(program.paddedHeadDim(), program.queryStateBlock()), lowerQueryStates)
        .flops = products;
  }

  void addSets() {
    Expr lines = sym("R") * of.queryStates;
    if (!program.globalState())
      add("transpose_bits", "select", {ceildiv(of.keyStates, stageThreads), ceildiv(lines, 64), sym("G")},
          "128 key blocks x 64 query blocks", lowerTransposeBits);
    stages.push_back(makeSums("aggregate_keys", program, of.keyStates, sym("G"), lines, bound(lowerAggregateKeys)));
  }

  void addKeys() {
    std::array<Expr, 3> grid = {ceildiv(sym("M"), stageThreads / 2), sym("G"), 1};
    Expr tokens = sym("G") * sym("M");
    auto project = [&](const char *kernel, Lower lower) {
      if (!program.weight.empty())
        add(kernel, "gradient", grid, rowsPerWarp, lower).flops = tokens * (2 * program.valueDim * program.valueDim);
    };
    project("project_values", lowerProjectValues);
    add("key_gradient", "gradient", grid, rowsPerWarp, lowerKeyGradient).flops =
        tokens * (4 * program.headDim * program.valueDim);
    project("project_gradient", lowerProjectGradient);
  }

  void addWeightGradient() {
    Expr wanted = wants(program.weight);
    add("weight_part", "gradient", {wanted * of.weightParts, sym("G")},
        shapeOf(program.paddedValueDim(), weightPartRows), lowerWeightPart)
        .flops = wanted * sym("G") * sym("M") * (2 * program.valueDim * program.valueDim);
    add("sum_weight", "gradient", {wanted * ceildiv(program.valueDim * program.valueDim, stageThreads), 1, 1},
        "element per thread", lowerSumWeight)
        .last = true;
  }

  void addBiasGradient() {
    Expr wanted = wants(program.bias);
    add("bias_part", "gradient", {wanted * of.biasParts, of.allHeads, 1}, "two columns per thread", lowerBiasPart)
        .once = true;
    add("sum_bias", "gradient", {wanted * ceildiv(program.valueDim, stageThreads), 1, 1}, "element per thread",
        lowerSumBias)
        .last = true;
  }

  std::vector<GpuStage> &stages;
  MLIRContext &context;
  const GpuProgram &program;
  const CudaTarget &target;
  LinearSizes of;
  const std::string rowsPerWarp = "16 rows per warp";
};

/// Of the buffers of a group: how many rows of f32 per pair, and of how many columns.
struct GroupBuffer {
  const char *name, *purpose;
  Expr rows;
  int64_t cols;
};

std::vector<GroupBuffer> groupBuffers(const GpuProgram &program) {
  LinearSizes of(program);
  bool global = program.globalState(), added = program.attends.back().exact, projects = !program.weight.empty();
  int64_t columns = program.stateColumns(), keyCols = program.paddedHeadDim(), valueCols = program.paddedValueDim();
  Expr queries = sym("R") * sym("N"), keys = sym("M"), queryStates = sym("R") * of.queryStates;
  std::vector<GroupBuffer> buffers = {
      {"h", "states of key blocks", of.keyStates, columns},
      {"state", "states that query blocks take", global ? Expr(1) : queryStates, columns},
      {"query_states", "gradients of states, of query blocks", queryStates, columns},
      {"key_states", "gradients of states, of key blocks", global ? Expr(1) : of.keyStates, columns},
      {"centres", "centres of values", 1, valueCols},
      {"reciprocals", "one over denominators of query rows", queries, 1},
      {"linear_sums", "sums of dO O of query rows in the linear branch", queries, 1}};
  if (!global) // bits of queries are two numbers in a word
    buffers.push_back(
        {"key_bits", "bits of the linear sets of key blocks", of.keyStates * ceildiv(queryStates, 64), 2});
  if (projects)
    buffers.insert(buffers.end(), {{"projected_centres", "centres times W^T", 1, valueCols},
                                   {"projected", "values less their centre times W^T", keys, valueCols},
                                   {"unprojected", "gradients of values times W^T", keys, valueCols}});
  if (added)
    buffers.insert(buffers.end(), {{"linear_dq", "dQ of the linear branch", queries, keyCols},
                                   {"linear_dk", "dK of the linear branch", keys, keyCols},
                                   {"linear_dv", "dV of the linear branch", keys, valueCols}});
  return buffers;
}

} // namespace

void addLinearGradientStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                             const CudaTarget &target) {
  LinearGradientStages(stages, context, program, target).build();
}

void addLinearGradientBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  LinearSizes of(program);
  for (GroupBuffer &buffer : groupBuffers(program))
    buffers.push_back({buffer.name, sym("G") * buffer.rows * (4 * buffer.cols), buffer.purpose});
  int64_t size = program.paddedValueDim();
  if (!program.weight.empty()) {
    buffers.push_back({"weight", 4 * size * size, "projection weight"});
    buffers.push_back({"weight_t", 4 * size * size, "projection weight, transposed"});
    buffers.push_back({"bias", 4 * size, "zeros for a bias"});
    buffers.push_back({"weight_parts", wants(program.weight) * sym("P") * of.weightParts * (4 * size * size),
                       "gradients of the weight by chunks of keys"});
  }
  if (!program.bias.empty())
    buffers.push_back({"bias_parts", wants(program.bias) * of.allHeads * of.biasParts * (4 * size),
                       "gradients of the bias by chunks of queries"});
}

Expr linearGradientBytes(const GpuProgram &program) {
  Expr bytes = 0;
  for (const GroupBuffer &buffer : groupBuffers(program))
    bytes = bytes + buffer.rows * (4 * buffer.cols);
  return bytes;
}

} // namespace tercet::compiler
