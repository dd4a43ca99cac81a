// Checks of one call's tensors and numbers, each with what was given and what is legal.
#include "Operands.h"

#include "tercet/Spelling.h"

#include <initializer_list>

namespace tercet::reference {
namespace {

template <typename... Args> Status wrong(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "{}", fmt::format(format, std::forward<Args>(args)...));
}

bool isFloat(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f64;
}

/// `allowed` lists the legal extents per axis.
Status checkShape(std::string_view name, const Tensor &tensor,
                  std::initializer_list<std::initializer_list<int64_t>> allowed, std::string_view legal) {
  bool fits = tensor.rank == static_cast<int>(allowed.size());
  int axis = 0;
  for (const auto &extents : allowed) {
    bool found = false;
    for (int64_t extent : extents)
      found = found || (fits && tensor.shape[axis] == extent);
    fits = fits && found;
    ++axis;
  }
  return fits ? Status() : wrong("{} is {}; expected {}", name, tensor.describe(), legal);
}

Status checkTokens(const Arguments &arguments, Operands &operands) {
  for (auto [name, slot] : {std::pair{"q", &operands.q}, {"k", &operands.k}, {"v", &operands.v}}) {
    const Tensor *tensor = arguments.find(name);
    if (!tensor || !*tensor)
      return wrong("the tensor {} is missing", name);
    if (tensor->rank != 4)
      return wrong("{} is {}; expected rank 4: [batch, heads, tokens, head dimension]", name, tensor->describe());
    for (int axis = 0; axis < 4; ++axis)
      if (tensor->shape[axis] < 1)
        return wrong("{} is {}; every size must be at least 1", name, tensor->describe());
    if (!isFloat(tensor->dtype))
      return wrong("{} is {}; expected f32, f16 or bf16", name, tensor->describe());
    *slot = *tensor;
  }
  const Tensor &q = operands.q, &k = operands.k, &v = operands.v;
  if (q.dtype != k.dtype || q.dtype != v.dtype)
    return wrong("q, k and v are {}, {} and {}; they must share one dtype", dtypeName(q.dtype), dtypeName(k.dtype),
                 dtypeName(v.dtype));
  if (k.shape[0] != q.shape[0] || v.shape[0] != q.shape[0])
    return wrong("q, k and v have {}, {} and {} batches; they must agree", q.shape[0], k.shape[0], v.shape[0]);
  if (v.shape[1] != k.shape[1] || v.shape[2] != k.shape[2])
    return wrong("k is {} but v is {}; heads and tokens must agree", k.describe(), v.describe());
  if (k.shape[3] != q.shape[3])
    return wrong("q is {} but k is {}; head dimensions must agree", q.describe(), k.describe());
  if (q.shape[1] % k.shape[1] != 0)
    return wrong("q has {} heads and k has {}; the heads of q must be a multiple of those of k", q.shape[1],
                 k.shape[1]);
  operands.sizes = {.batch = q.shape[0],
                    .headsQ = q.shape[1],
                    .headsKV = k.shape[1],
                    .tokensQ = q.shape[2],
                    .tokensK = k.shape[2],
                    .headDim = q.shape[3],
                    .valueDim = v.shape[3],
                    .dtype = q.dtype};
  return {};
}

Status checkLengths(const Arguments &arguments, std::string_view name, int64_t batch, int64_t tokens, Tensor &slot) {
  const Tensor *lengths = arguments.find(name);
  if (!lengths || !*lengths)
    return {};
  TERCET_RETURN_IF_ERROR(checkShape(name, *lengths, {{batch}}, fmt::format("[{}] i32", batch)));
  if (lengths->dtype != DType::i32)
    return wrong("{} is {}; expected [{}] i32", name, lengths->describe(), batch);
  for (int64_t b = 0; b < batch; ++b)
    if (double length = lengths->get(b); length < 0 || length > static_cast<double>(tokens))
      return wrong("{}[{}] is {}; a length lies in [0, {}]", name, b, length, tokens);
  slot = *lengths;
  return {};
}

Status checkClasses(const Tensor *classes, Operands &operands) {
  if (!classes || !*classes)
    return {};
  const CallSizes &sizes = operands.sizes;
  if (sizes.blocksK == 0)
    return wrong("classes are given but the spec has no classification");
  std::string legal =
      fmt::format("[{} or 1, {} or 1, {}, {}] i8", sizes.batch, sizes.headsQ, sizes.blocksQ, sizes.blocksK);
  TERCET_RETURN_IF_ERROR(
      checkShape("classes", *classes, {{sizes.batch, 1}, {sizes.headsQ, 1}, {sizes.blocksQ}, {sizes.blocksK}}, legal));
  if (classes->dtype != DType::i8)
    return wrong("classes are {}; expected {}", classes->describe(), legal);
  for (int64_t b = 0; b < classes->shape[0]; ++b)
    for (int64_t h = 0; h < classes->shape[1]; ++h)
      for (int64_t i = 0; i < sizes.blocksQ; ++i)
        for (int64_t j = 0; j < sizes.blocksK; ++j)
          if (double value = classes->get(b, h, i, j); value < -1 || value > 1)
            return wrong("classes[{}, {}, {}, {}] is {}; expected 1, 0 or -1", b, h, i, j, value);
  operands.classes = *classes;
  return {};
}

Status checkWeights(const Program &program, const Arguments &arguments, int64_t valueDim) {
  for (const Branch &branch : program.branches)
    for (bool isMatrix : {true, false}) {
      const std::string &name = isMatrix ? branch.weight : branch.bias;
      const Tensor *weight = name.empty() ? nullptr : arguments.find(name);
      if (!weight || !*weight)
        continue;
      if (!isFloat(weight->dtype))
        return wrong("{} is {}; expected f32, f16 or bf16", name, weight->describe());
      TERCET_RETURN_IF_ERROR(
          isMatrix ? checkShape(name, *weight, {{valueDim}, {valueDim}}, fmt::format("[{0}, {0}]", valueDim))
                   : checkShape(name, *weight, {{valueDim}}, fmt::format("[{}]", valueDim)));
    }
  return {};
}

Status checkTables(const Program &program, const Arguments &arguments, const CallSizes &sizes) {
  for (const Table &table : program.tables) {
    const Tensor *tensor = arguments.find(table.name);
    if (!tensor || !*tensor)
      return wrong("the table {} is missing", table.name);
    TERCET_RETURN_IF_ERROR(checkTable(table.name, *tensor, table.axes, table.dtype, sizes.forTables()));
  }
  return {};
}

Status checkRange(const Operands &operands, const Number &number, double low, double high, std::string_view legal,
                  bool isInteger) {
  double value = operands.value(number);
  if (value >= low && value <= high && (!isInteger || value == std::floor(value)))
    return {};
  return wrong("{} is {}; expected {}", number.parameter, value, legal);
}

/// The blocks of the classification.
Status bindBlocks(const Program &program, const Arguments &arguments, Operands &operands) {
  if (!program.selection)
    return {};
  CallSizes &sizes = operands.sizes;
  if (program.order) {
    for (const Number &size : program.order->grid)
      TERCET_RETURN_IF_ERROR(
          checkRange(operands, size, 1, TokenOrder::largestAxis, "an integer from 1 to 1048576", true));
    TokenOrder order = program.order->sized(arguments.parameters);
    TERCET_RETURN_IF_ERROR(checkTokenOrder(order, sizes.tokensQ, sizes.tokensK));
    operands.queryBlocks = TokenBlocks::tiles(order, sizes.tokensQ);
    operands.keyBlocks = TokenBlocks::tiles(order, sizes.tokensK);
  } else {
    operands.queryBlocks = TokenBlocks::runs(program.selection->blockQ, sizes.tokensQ);
    operands.keyBlocks = TokenBlocks::runs(program.selection->blockK, sizes.tokensK);
  }
  sizes.blocksQ = operands.queryBlocks.count();
  sizes.blocksK = operands.keyBlocks.count();
  return {};
}

/// Integers in regions are 32-bit: parameters are kept away from where they wrap.
Status checkRegion(const std::optional<PairProgram> &region, const Operands &operands) {
  constexpr double limit = 1 << 30;
  if (region)
    for (const PairOp &op : region->ops)
      if (op.kind == PairOp::Kind::integer && op.value.isRuntime)
        TERCET_RETURN_IF_ERROR(
            checkRange(operands, op.value, -limit, limit, "an integer from -1073741824 to 1073741824", true));
  return {};
}

Status checkNumbers(const Program &program, const Operands &operands) {
  for (const auto &[name, value] : operands.arguments->parameters) {
    bool known = false;
    for (const std::string &parameter : program.parameters)
      known = known || parameter == name;
    if (!known)
      return wrong("'{}' is not a runtime parameter of {}{}", name, program.name, suggestion(name, program.parameters));
    if (!std::isfinite(value))
      return wrong("{} is {}; expected a finite number", name, value);
  }
  const double huge = 9e15; // integers up to here are exact in a double
  for (const Branch &branch : program.branches) {
    bool scales = branch.kind == Branch::Kind::sparse || branch.kind == Branch::Kind::blockMean ||
                  branch.kind == Branch::Kind::compressed;
    if (double scale = operands.scale(branch.scale); scales && !(scale > 0))
      return wrong("{} is {}; expected a number above 0", branch.scale.parameter, scale);
    if (branch.kind == Branch::Kind::linear)
      TERCET_RETURN_IF_ERROR(checkRange(operands, branch.eps, 0, huge, "a number of at least 0", false));
    for (const auto *region : {&branch.mask, &branch.score, &branch.factor})
      TERCET_RETURN_IF_ERROR(checkRegion(*region, operands));
  }
  if (!program.selection)
    return {};
  const Selection &selection = *program.selection;
  bool keepIsCount = selection.keepUnit == KeepUnit::count, keepIsFraction = selection.keepUnit == KeepUnit::fraction;
  for (const auto &[amount, isCount] :
       {std::pair{&selection.keep, keepIsCount}, {&selection.drop, selection.dropIsCount}})
    TERCET_RETURN_IF_ERROR(checkRange(operands, *amount, 0, isCount ? huge : 1,
                                      isCount ? "a count of at least 0" : "a fraction in [0, 1]", isCount));
  double keep = operands.value(selection.keep), drop = operands.value(selection.drop);
  if (keepIsFraction && !selection.dropIsCount && keep + drop > 1 + 1e-9)
    return wrong("{} ({}) + {} ({}) is more than 1", selection.keep.parameter, keep, selection.drop.parameter, drop);
  for (const Number *amount : {&selection.minKeep, &selection.sink, selection.maxKeep ? &*selection.maxKeep : nullptr})
    if (amount)
      TERCET_RETURN_IF_ERROR(checkRange(operands, *amount, 0, huge, "an integer of at least 0", true));
  for (const auto *rule : {&selection.mask, &selection.forced, &selection.forbidden, &selection.pattern})
    TERCET_RETURN_IF_ERROR(checkRegion(*rule, operands));
  return {};
}

} // namespace

Result<Operands> bindOperands(const Program &program, const Arguments &arguments, const Tensor *classes) {
  Operands operands;
  operands.arguments = &arguments;
  TERCET_RETURN_IF_ERROR(checkTokens(arguments, operands));
  CallSizes &sizes = operands.sizes;
  TERCET_RETURN_IF_ERROR(bindBlocks(program, arguments, operands));
  TERCET_RETURN_IF_ERROR(checkLengths(arguments, "q_len", sizes.batch, sizes.tokensQ, operands.queryLengths));
  TERCET_RETURN_IF_ERROR(checkLengths(arguments, "k_len", sizes.batch, sizes.tokensK, operands.keyLengths));
  TERCET_RETURN_IF_ERROR(checkClasses(classes ? classes : arguments.find("classes"), operands));
  TERCET_RETURN_IF_ERROR(checkWeights(program, arguments, sizes.valueDim));
  TERCET_RETURN_IF_ERROR(checkTables(program, arguments, sizes));
  TERCET_RETURN_IF_ERROR(checkNumbers(program, operands));
  return operands;
}

Result<CallSizes> checkArguments(const Program &program, const Arguments &arguments) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, nullptr));
  return operands.sizes;
}

} // namespace tercet::reference
