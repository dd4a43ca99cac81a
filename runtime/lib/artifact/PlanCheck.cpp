// Structural checks of plans. They run on every artifact read from a file, so executors may rely on resolved names and
// well-formed expressions.
#include "tercet/PlanCheck.h"

#include "tercet/ExprText.h"

#include <algorithm>
#include <set>

namespace tercet {
namespace {

using Role = PlanArgument::Role;

constexpr std::pair<Role, std::string_view> roleNames[] = {
    {Role::query, "query"},
    {Role::key, "key"},
    {Role::value, "value"},
    {Role::weight, "weight"},
    {Role::bias, "bias"},
    {Role::classes, "classes"},
    {Role::table, "table"},
    {Role::queryLengths, "query_lengths"},
    {Role::keyLengths, "key_lengths"},
    {Role::output, "output"},
    {Role::lse, "lse"},
    {Role::classesOutput, "classes_output"},
    {Role::wideOutput, "wide_output"},
    {Role::lseRest, "lse_rest"},
    {Role::outputGradient, "output_gradient"},
    {Role::savedOutput, "saved_output"},
    {Role::savedLse, "saved_lse"},
    {Role::savedLseRest, "saved_lse_rest"},
    {Role::queryGradient, "query_gradient"},
    {Role::keyGradient, "key_gradient"},
    {Role::valueGradient, "value_gradient"},
    {Role::weightGradient, "weight_gradient"},
    {Role::biasGradient, "bias_gradient"},
    {Role::tableGradient, "table_gradient"},
};

template <typename... Args> Status fault(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "the plan is malformed: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

class Checker {
public:
  explicit Checker(const Plan &plan) : plan(plan) {}

  Status run() {
    TERCET_RETURN_IF_ERROR(collectNames());
    TERCET_RETURN_IF_ERROR(checkRoles());
    for (const PlanBuffer &buffer : plan.buffers)
      TERCET_RETURN_IF_ERROR(expression(buffer.bytes, "the size of buffer " + buffer.name, false));
    const PlanGrouping &grouping = plan.grouping;
    for (const Expr *expr : {&grouping.unitBytes, &grouping.rowBytes, &grouping.budgetBytes, &grouping.slices,
                             &grouping.rows, &grouping.itemsPerPair})
      TERCET_RETURN_IF_ERROR(expression(*expr, "the grouping", false));
    if (plan.blockQ < 0 || plan.blockK < 0 || (plan.blockQ == 0) != (plan.blockK == 0))
      return fault("classification blocks of {} x {}; both must be positive, or both 0", plan.blockQ, plan.blockK);
    TERCET_RETURN_IF_ERROR(checkOrder());
    return nodes(plan.nodes, Depth::outside);
  }

private:
  Status collectNames() {
    for (const PlanArgument &argument : plan.arguments) {
      if (argument.name.empty() || !tensors.insert(argument.name).second)
        return fault("argument name '{}' is empty or taken", argument.name);
      for (const char *suffix :
           {".0", ".1", ".2", ".3", ".present", ".h", ".b", ".dtype", ".size0", ".size1", ".size2", ".size3"})
        symbols.insert(argument.name + suffix);
    }
    for (const PlanParameter &parameter : plan.parameters) {
      if (parameter.name.empty() || !parameters.insert(parameter.name).second)
        return fault("parameter name '{}' is empty or taken", parameter.name);
      if (parameter.isInteger)
        symbols.insert("param." + parameter.name);
    }
    for (const PlanBuffer &buffer : plan.buffers)
      if (buffer.name.empty() || !buffers.insert(buffer.name).second)
        return fault("buffer name '{}' is empty or taken", buffer.name);
    return {};
  }

  /// Of a plan of gradients alone, all of which it has.
  static bool isOfGradients(Role role) {
    return role == Role::outputGradient || role == Role::queryGradient || role == Role::keyGradient ||
           role == Role::valueGradient;
  }

  bool isNeeded(Role role) const {
    bool gradients = std::any_of(plan.arguments.begin(), plan.arguments.end(),
                                 [](const PlanArgument &argument) { return isOfGradients(argument.role); });
    return role == Role::query || role == Role::key || role == Role::value ||
           (gradients ? isOfGradients(role) : role == Role::output);
  }

  static bool isOutput(Role role) {
    return role == Role::output || role == Role::lse || role == Role::classesOutput || role == Role::wideOutput ||
           role == Role::lseRest || role == Role::queryGradient || role == Role::keyGradient ||
           role == Role::valueGradient || role == Role::weightGradient || role == Role::biasGradient ||
           role == Role::tableGradient;
  }

  Status checkRoles() {
    for (auto [role, name] : roleNames) {
      auto count = std::count_if(plan.arguments.begin(), plan.arguments.end(),
                                 [role = role](const PlanArgument &argument) { return argument.role == role; });
      if ((count > 1 && !hasAxes(role)) || (isNeeded(role) && count == 0))
        return fault("{} arguments have the role {}; it must be {}", count, name, isNeeded(role) ? "1" : "at most 1");
    }
    for (const PlanArgument &argument : plan.arguments) {
      if (argument.isOutput != isOutput(argument.role))
        return fault("argument {} has the role {} on the wrong side", argument.name, roleName(argument.role));
      if (argument.optional && isNeeded(argument.role))
        return fault("argument {} has the role {}, which cannot be optional", argument.name, roleName(argument.role));
      TERCET_RETURN_IF_ERROR(checkAxes(argument));
    }
    return {};
  }

  static Status checkAxes(const PlanArgument &argument) {
    bool isTable = hasAxes(argument.role);
    if (isTable ? argument.axes.empty() || argument.axes.size() > 4 : !argument.axes.empty())
      return fault("argument {} has {} axes; a table has 1 to 4, other arguments none", argument.name,
                   argument.axes.size());
    for (int64_t axis : argument.axes)
      if (axis == 0 || axis < lastTableAxis)
        return fault("argument {} has the axis {}", argument.name, axis);
    if (argument.role == Role::tableGradient && argument.dtype != DType::f32)
      return fault("gradient {} holds {}; it must be f32", argument.name, dtypeName(argument.dtype));
    if (isTable && argument.dtype != DType::f32 && argument.dtype != DType::i32)
      return fault("table {} holds {}; it must be f32 or i32", argument.name, dtypeName(argument.dtype));
    return {};
  }

  /// Grids hold no more than what sizes from 64 bits can count, and a tile is a block.
  Status checkOrder() {
    if (!plan.order)
      return {};
    if (plan.order->grid.empty() || plan.order->grid.size() > TokenOrder::axes ||
        plan.order->grid.size() != plan.order->tile.size())
      return fault("a token order of {} and {} axes", plan.order->grid.size(), plan.order->tile.size());
    for (const std::string &name : plan.order->grid) {
      auto found = std::find_if(plan.parameters.begin(), plan.parameters.end(),
                                [&](const PlanParameter &parameter) { return parameter.name == name; });
      if (found == plan.parameters.end() || !found->isInteger || found->minimum < 1 ||
          found->maximum > TokenOrder::largestAxis)
        return fault("the grid's size '{}' is no integer parameter from 1 to {}", name, TokenOrder::largestAxis);
    }
    int64_t tile = plan.order->sized([](const std::string &) { return 1; }).block();
    if (tile != plan.blockQ || tile != plan.blockK)
      return fault("tiles of {} tokens in blocks of {} x {}", tile, plan.blockQ, plan.blockK);
    return {};
  }

  Status expression(const Expr &expr, const std::string &where, bool afterCounting) {
    if (Status status = checkExpr(expr); !status.ok())
      return fault("{}: {}", where, status.message());
    for (const Expr::Step &step : expr.steps)
      if (step.op == Expr::Op::symbol && !symbols.contains(step.symbol) &&
          !(afterCounting && blockCounts.contains(step.symbol)))
        return fault("{} uses the unknown symbol '{}'", where, step.symbol);
    return {};
  }

  /// The loops that a node may stand in, from the outside in.
  enum class Depth { outside, groups, slices, rows };

  static Depth depthOf(PlanNode::Kind kind) {
    return kind == PlanNode::Kind::groups   ? Depth::groups
           : kind == PlanNode::Kind::slices ? Depth::slices
           : kind == PlanNode::Kind::rows   ? Depth::rows
                                            : Depth::outside;
  }

  static std::string_view nameOf(Depth depth) {
    return depth == Depth::groups ? "groups" : depth == Depth::slices ? "slices" : "rows";
  }

  Status nodes(const std::vector<PlanNode> &list, Depth around) {
    for (const PlanNode &node : list)
      TERCET_RETURN_IF_ERROR(this->node(node, around));
    return {};
  }

  Status node(const PlanNode &node, Depth around) {
    if (Depth depth = depthOf(node.kind); depth != Depth::outside) {
      if (depth <= around)
        return fault("a {} node stands inside a {} node", nameOf(depth), nameOf(around));
      return nodes(node.body, depth);
    }
    if (node.callee.empty() || !node.body.empty())
      return fault("a node without callee, or a call with a body ('{}')", node.callee);
    for (const Expr &extent : node.grid)
      TERCET_RETURN_IF_ERROR(expression(extent, "the grid of " + node.callee, false));
    TERCET_RETURN_IF_ERROR(expression(node.flops, "the flops of " + node.callee, true));
    if (node.kind == PlanNode::Kind::memset) {
      if (!buffers.contains(node.callee))
        return fault("a memset names the buffer '{}', which the plan does not have", node.callee);
      return expression(node.bytes, "a memset of " + node.callee, false);
    }
    for (const PlanSlot &slot : node.slots)
      TERCET_RETURN_IF_ERROR(this->slot(slot, node.callee));
    return {};
  }

  Status slot(const PlanSlot &slot, const std::string &callee) {
    if (slot.kind == PlanSlot::Kind::integer)
      return expression(slot.value, "a slot of " + callee, false);
    bool isMap = slot.kind == PlanSlot::Kind::tensorMap;
    bool isTensor = isMap ? !slot.map.ofBuffer : slot.kind == PlanSlot::Kind::tensor;
    bool isBuffer = isMap ? slot.map.ofBuffer : slot.kind == PlanSlot::Kind::buffer;
    const std::set<std::string> &known = isTensor ? tensors : isBuffer ? buffers : parameters;
    if (!known.contains(slot.name))
      return fault("a slot of {} names '{}', which the plan does not have", callee, slot.name);
    return isMap ? tensorMap(slot.map, "the tensor map of " + slot.name + " for " + callee) : Status();
  }

  /// Ranks and extents that agree; what depends on sizes is checked when the map is encoded.
  Status tensorMap(const PlanTensorMap &map, const std::string &where) {
    constexpr size_t mostAxes = 5;
    constexpr int64_t largestBox = 256;
    size_t rank = map.sizes.size();
    if (rank < 1 || rank > mostAxes || map.strides.size() + 1 != rank || map.box.size() != rank)
      return fault("{} has {} sizes, {} strides and a box of {} axes", where, rank, map.strides.size(), map.box.size());
    for (int64_t extent : map.box)
      if (extent < 1 || extent > largestBox)
        return fault("{} has a box of extent {}; legal are 1 to {}", where, extent, largestBox);
    TERCET_RETURN_IF_ERROR(expression(map.offset, where, false));
    for (const std::vector<Expr> *list : {&map.sizes, &map.strides})
      for (const Expr &expr : *list)
        TERCET_RETURN_IF_ERROR(expression(expr, where, false));
    return {};
  }

  const Plan &plan;
  std::set<std::string> tensors, parameters, buffers;
  std::set<std::string> symbols = {"B", "H", "HKV", "N", "M",  "D", "DV", "R",
                                   "P", "G", "G0",  "S", "S0", "I", "I0", "THREADS"};
  const std::set<std::string> blockCounts = {"blocks.critical", "blocks.marginal", "blocks.negligible"};
};

} // namespace

std::string_view roleName(Role role) {
  for (auto [known, name] : roleNames)
    if (known == role)
      return name;
  return "unknown";
}

bool parseRole(std::string_view text, Role &role) {
  for (auto [known, name] : roleNames)
    if (name == text) {
      role = known;
      return true;
    }
  return false;
}

Status checkPlan(const Plan &plan) { return Checker(plan).run(); }

} // namespace tercet
