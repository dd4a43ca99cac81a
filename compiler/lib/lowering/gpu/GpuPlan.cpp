// The plan of a GPU program: its arguments, parameters and buffers, and a node per stage. Slots follow the kernels' own
// arguments, so that nothing is listed twice.
#include "GpuRanges.h"
#include "GradientStages.h"
#include "LinearGradient.h"
#include "MeanStages.h"
#include "PoolStages.h"
#include "SelectStages.h"
#include "Signature.h"
#include "TableStages.h"
#include "TileStages.h"

#include "tercet/compiler/cuda/GpuLowering.h"

#include <bit>

namespace tercet::compiler {

namespace {

class PlanBuilder {
public:
  PlanBuilder(ir::SpecOp spec, const GpuProgram &program) : spec(spec), program(program) {}

  Plan build(const std::vector<GpuStage> &stages, const std::vector<size_t> &forms,
             const std::vector<std::vector<GpuArgument>> &arguments) {
    static_cast<PlanSignature &>(plan) =
        signatureOf(spec, {program.headDim, program.valueDim, program.dtype, {}, program.direction});
    if (program.direction == Direction::backward)
      addTableArguments(plan, program);
    addBuffers();
    addSuperRows(arguments);
    for (const GpuStage &stage : stages)
      addBuffersOf(stage);
    PlanNode groups;
    groups.kind = PlanNode::Kind::groups;
    std::vector<PlanNode> last;
    for (size_t i = 0; i < stages.size(); ++i) {
      std::vector<PlanNode> &nodes = stages[i].once ? plan.nodes : stages[i].last ? last : groups.body;
      const GpuForm &form = stages[i].forms[forms[i]];
      if (!stages[i].zeroed.empty())
        nodes.push_back(zeros(stages[i], form));
      for (int64_t pass = 0; pass < stages[i].passes; ++pass)
        nodes.push_back(node(stages[i], form, arguments[i], pass));
    }
    plan.nodes.push_back(std::move(groups));
    std::move(last.begin(), last.end(), std::back_inserter(plan.nodes));
    if (program.linear) { // h and H of a group take at most the bytes of K, or are those of one pair
      plan.grouping.unitBytes =
          program.direction == Direction::backward ? linearGradientBytes(program) : bytesOfStates();
      // Of a backward, whose own tensors are some ten times K, all buffers count, and four times K is theirs.
      int64_t times = program.direction == Direction::backward ? 4 : 1;
      plan.grouping.budgetBytes =
          sym("P") * sym("M") * (times * program.headDim * static_cast<int64_t>(dtypeSize(program.dtype)));
    } else { // all pairs at once: the grid is what fills a GPU
      plan.grouping.unitBytes = 1;
      plan.grouping.budgetBytes = sym("P");
    }
    return std::move(plan);
  }

private:
  void addBuffer(std::string name, Expr bytes, std::string purpose) {
    plan.buffers.push_back({std::move(name), std::move(bytes), std::move(purpose)});
  }

  void addBuffers() {
    Expr G = sym("G"), elementBytes = static_cast<int64_t>(dtypeSize(program.dtype));
    if (program.order)
      addTileBuffers(plan.buffers, program);
    if (program.means()) {
      addBuffer("mean_k_rows", G * TN * (program.headDim * program.meanPlanes()) * elementBytes,
                "block means of keys as operands");
      addBuffer("mean_v_rows", G * TN * (program.valueDim * program.meanValuePlanes()) * elementBytes,
                "block means of values as operands");
    }
    if (program.direction != Direction::backward || program.inBranches())
      for (const AttendStage &stage : program.attends) {
        addPoolBuffers(plan.buffers, program, stage);
        if (stage.ofMeans)
          addMeanBuffers(plan.buffers, program, stage);
        addStageBuffers(stage);
      }
    if (program.direction == Direction::backward)
      return addGradientBuffers(plan.buffers, program);
    if (program.classified())
      addSelectBuffers(plan.buffers, program);
    addRangeBuffers(plan.buffers, program);
    if (program.linear) {
      Expr stateBytes = 4 * program.stateColumns();
      addBuffer("h", G * stateBlocks * stateBytes, "states of key blocks");
      addBuffer("state", (program.globalState() ? G : GR * TM) * stateBytes, "states of query blocks");
    }
    if (!program.weight.empty()) {
      int64_t size = program.paddedValueDim();
      addBuffer("weight", 4 * size * size, "projection weight");
      addBuffer("bias", 4 * size, "projection bias");
    }
  }

  Expr bytesOfStates() const {
    return (stateBlocks + (program.globalState() ? Expr(1) : sym("R") * TM)) * (4 * program.stateColumns());
  }

  // What a stage keeps for later ones.
  void addStageBuffers(const AttendStage &stage) {
    Expr rows = GR * stage.rows(program.rows());
    if (!stage.storesOutput)
      addBuffer(stage.name + "_o", rows * (4 * program.paddedValueDim()), "output of " + stage.name);
    if (stage.keepsLse)
      addBuffer(stage.name + "_lse", rows * 4, "log-sum-exp of " + stage.name);
    if (stage.keepsLse && stage.storesRest)
      addBuffer(stage.name + "_lse_rest", rows * 4, "what rounding left of the log-sum-exp of " + stage.name);
    if (stage.keepsState)
      addBuffer(stage.name + "_state", rows * 8, "maxima and sums of " + stage.name);
  }

  // One buffer for those of a name, which stages use one after the other.
  void addBuffersOf(const GpuStage &stage) {
    for (const PlanBuffer &buffer : stage.buffers) {
      auto same = llvm::find_if(plan.buffers, [&](const PlanBuffer &other) { return other.name == buffer.name; });
      if (same == plan.buffers.end())
        plan.buffers.push_back(buffer);
      else
        same->bytes = Expr::apply(Expr::Op::max, same->bytes, buffer.bytes);
    }
  }

  // Lists of super rows, of query blocks and of key blocks, where kernels take them.
  void addSuperRows(const std::vector<std::vector<GpuArgument>> &arguments) {
    auto add = [&](const std::string &prefix, const Expr &rows, const Expr &cols, const std::string &of) {
      auto isOfThem = [&](const GpuArgument &argument) { return argument.symbol == "@" + prefix + "lists"; };
      if (llvm::none_of(arguments, [&](const auto &kernel) { return llvm::any_of(kernel, isOfThem); }))
        return;
      Expr superRows = GR * ceildiv(rows, 2);
      addBuffer(prefix + "lists", superRows * cols * 4, "critical blocks of super rows" + of);
      addBuffer(prefix + "counts", superRows * 4, "lengths of the lists of super rows" + of);
    };
    add("super_", TM, TN, "");
    add("super_key_", TN, TM, " of key blocks");
  }

  PlanSlot slot(const GpuArgument &argument, const GpuStage &stage, int64_t pass) {
    PlanSlot result;
    for (const auto &[name, value] : stage.sizes)
      if (argument.symbol == name) {
        result.value = value;
        return result;
      }
    llvm::StringRef asNamed = argument.symbol;
    bool tiled = program.order && !stage.asGiven; // works on copies in the order of tiles
    tiled &= !asNamed.consume_front(givenPrefix);
    const std::string symbol = asNamed.str();
    if (std::optional<TiledSlot> copy = tiled ? tiledSlot(program, symbol) : std::nullopt) {
      result.kind = copy->buffer.empty() ? PlanSlot::Kind::integer : PlanSlot::Kind::buffer;
      result.name = copy->buffer;
      result.value = copy->value;
      return result;
    }
    switch (argument.kind) {
    case GpuArgument::Kind::size:
      result.value = size(symbol, pass);
      break;
    case GpuArgument::Kind::number:
      result.kind = PlanSlot::Kind::scalar;
      result.name = symbol.substr(sizeof "param." - 1);
      break;
    case GpuArgument::Kind::pointer:
      if (symbol.empty())
        break; // a null pointer
      result.kind = symbol[0] == '@' ? PlanSlot::Kind::buffer : PlanSlot::Kind::tensor;
      result.name = symbol[0] == '@' ? symbol.substr(1) : symbol;
      break;
    case GpuArgument::Kind::tensorMap: {
      bool queries = symbol == "q" || symbol == "do", values = symbol == "v" || symbol == "do";
      result.kind = PlanSlot::Kind::tensorMap;
      result.name = symbol;
      result.map.dtype = program.dtype;
      result.map.sizes = {values ? program.valueDim : program.headDim, sym(queries ? "N" : "M"),
                          sym(queries ? "H" : "HKV"), sym("B")};
      for (const char *axis : {".2", ".1", ".0"})
        result.map.strides.push_back(Expr::symbol(symbol + axis));
      result.map.box = {argument.boxCols, argument.boxRows, 1, 1};
      result.map.swizzle = PlanTensorMap::Swizzle::bytes128;
      break;
    }
    }
    return result;
  }

  Expr size(const std::string &symbol, int64_t pass) {
    if (symbol == "pass")
      return pass;
    if (symbol == "padded.q")
      return paddedQueries(program.rows());
    if (symbol == "places.q" || symbol == "places.k")
      return symbol == "places.q" ? program.rows() : program.keys();
    if (symbol == "tokens.q" || symbol == "tokens.k")
      return sym(symbol == "tokens.q" ? "N" : "M");
    return Expr::symbol(symbol);
  }

  /// Fills the whole of a buffer with zeros, if the stage that needs it runs.
  PlanNode zeros(const GpuStage &stage, const GpuForm &form) {
    PlanNode result;
    result.kind = PlanNode::Kind::memset;
    result.callee = stage.zeroed;
    result.stage = stage.stage;
    for (const PlanBuffer &buffer : plan.buffers)
      if (buffer.name == stage.zeroed)
        result.bytes = Expr::apply(Expr::Op::min, 1, form.grid[0]) * buffer.bytes;
    return result;
  }

  PlanNode node(const GpuStage &stage, const GpuForm &form, const std::vector<GpuArgument> &arguments, int64_t pass) {
    PlanNode result;
    result.kind = PlanNode::Kind::kernel;
    result.callee = stage.kernel;
    result.stage = stage.stage;
    for (size_t axis = 0; axis < 3; ++axis)
      result.grid[axis] = form.grid[axis];
    for (const GpuArgument &argument : arguments)
      result.slots.push_back(slot(argument, stage, pass));
    result.flops = stage.flops;
    return result;
  }

  ir::SpecOp spec;
  const GpuProgram &program;
  Plan plan;
  Expr GR = sym("G") * sym("R");
  Expr TM = program.queryBlocks(), TN = program.keyBlocks();
  Expr stateBlocks = ceildiv(program.keys(), program.stateBlock());
};

} // namespace

std::vector<GpuArgument> argumentsOf(tkern::KernelOp kernel) {
  std::vector<GpuArgument> result;
  auto symbols = kernel->getAttrOfType<mlir::ArrayAttr>(argumentsAttribute);
  for (auto [position, argument] : llvm::enumerate(kernel.getBody().getArguments().drop_front(3))) {
    GpuArgument entry;
    if (symbols && position < symbols.size())
      entry.symbol = mlir::cast<mlir::StringAttr>(symbols[position]).getValue().str();
    mlir::Type type = argument.getType();
    entry.kind = mlir::isa<mlir::IndexType>(type)        ? GpuArgument::Kind::size
                 : mlir::isa<tkern::TensorMapType>(type) ? GpuArgument::Kind::tensorMap
                 : mlir::isa<tkern::PointerType>(type)   ? GpuArgument::Kind::pointer
                                                         : GpuArgument::Kind::number;
    if (auto map = mlir::dyn_cast<tkern::TensorMapType>(type)) {
      entry.boxRows = map.getRows();
      entry.boxCols = map.getCols();
    }
    result.push_back(std::move(entry));
  }
  return result;
}

Plan buildGpuPlan(ir::SpecOp spec, const GpuProgram &program, const std::vector<GpuStage> &stages,
                  const std::vector<size_t> &forms, const std::vector<std::vector<GpuArgument>> &arguments) {
  return PlanBuilder(spec, program).build(stages, forms, arguments);
}

} // namespace tercet::compiler
