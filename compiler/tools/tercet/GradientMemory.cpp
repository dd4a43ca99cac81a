// What is saved is read off the two signatures. What is made again are the values that the formulas of docs/gradients.md
// name and that no argument of the backward holds; their bytes are those that saving them would take.
#include "GradientMemory.h"

#include "CallShape.h"
#include "SavedTensors.h"

#include <fmt/ranges.h>

namespace tercet::cli {
namespace {

constexpr double mebibyte = 1 << 20;
constexpr int64_t floatBytes = 4;

using reference::Branch;
using Role = PlanArgument::Role;

/// A value that the backward makes again.
struct Remade {
  std::string name, from, why;
  double bytes = 0; ///< that saving it would take
};

const char *reasonFor(Role role, bool isOutputItself) {
  switch (role) {
  case Role::savedOutput:
    return isOutputItself
               ? "the output itself: D = rowsum(dO O) is made from it"
               : "D = rowsum(dO O) of the softmax: from an O that is rounded, or that holds a linear branch, "
                 "it has most of the error of a backward";
  case Role::savedLse:
    return "P = exp(S - LSE) is made again from it";
  case Role::savedLseRest:
    return "what f32 leaves of LSE, which is an error of whole rows of P where scores are large";
  default:
    return "the backward differentiates the blocks that the forward chose";
  }
}

Json savedJson(const std::vector<SavedTensor> &saved) {
  Json list = Json::array();
  for (const SavedTensor &tensor : saved)
    list.push_back({{"name", tensor.given},
                    {"taken_as", tensor.taken},
                    {"dtype", dtypeName(tensor.dtype)},
                    {"shape", tensor.shape},
                    {"bytes", tensor.bytes()},
                    {"is_output", tensor.given == "o"},
                    {"why", reasonFor(tensor.role, tensor.given == "o")}});
  return list;
}

double floatsOf(std::initializer_list<int64_t> extents) {
  double bytes = floatBytes;
  for (int64_t extent : extents)
    bytes *= static_cast<double>(extent);
  return bytes;
}

class RemadeValues {
public:
  RemadeValues(const reference::Program &program, const CallData &call, const std::string &aggregation,
               const reference::BlockCounts &blocks)
      : program(program), sizes(call.sizes), aggregation(aggregation), blocks(blocks) {}

  std::vector<Remade> list() {
    bool hasLists = false;
    for (const Branch &branch : program.branches) {
      if (branch.kind == Branch::Kind::sparse) {
        addSoftmax(branch);
        hasLists = hasLists || program.selection;
      } else if (branch.kind == Branch::Kind::blockMean) {
        addMeans(branch);
      } else if (branch.kind == Branch::Kind::linear) {
        addLinear(branch);
      } else if (branch.kind == Branch::Kind::compressed) {
        addPools(branch);
      }
    }
    if (runsStagesAgain())
      for (const Branch &branch : program.branches)
        if (isSoftmax(branch))
          addOutput(branch);
    if (hasLists)
      values.push_back({"transposed lists", "classes",
                        "the query tiles of every key row, made from the map as the forward makes its lists",
                        static_cast<double>(blocks.critical * floatBytes)});
    return std::move(values);
  }

private:
  static bool isSoftmax(const Branch &branch) {
    return branch.kind == Branch::Kind::sparse || branch.kind == Branch::Kind::blockMean ||
           branch.kind == Branch::Kind::compressed;
  }

  /// Where o is more than one softmax and what a projection adds, no saved tensor holds a branch's own output.
  bool runsStagesAgain() const {
    int64_t attends = std::count_if(program.branches.begin(), program.branches.end(), [](const Branch &branch) {
      return isSoftmax(branch) &&
             (branch.kind != Branch::Kind::blockMean || branch.poolsQueries); // others are with their keys
    });
    return attends > 1 || std::any_of(program.branches.begin(), program.branches.end(),
                                      [](const Branch &branch) { return branch.kind == Branch::Kind::gate; });
  }

  static std::string pairsOf(const Branch &branch) {
    return (branch.score ? "S, its region's derivative, P, dP and dS of " : "S, P, dP and dS of ") + branch.name;
  }

  void addOutput(const Branch &branch) {
    values.push_back({"O and LSE of " + branch.name, "q, k and v", "the forward's stage runs again, and keeps f32",
                      floatsOf({sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.valueDim + 1})});
  }

  void addPools(const Branch &branch) {
    bool inOrder = program.order.has_value(); // whose blocks are the pools
    int64_t pools = inOrder ? sizes.blocksK : (sizes.tokensK + branch.pools.stride - 1) / branch.pools.stride;
    int64_t queries = branch.pools.queries == 0 ? sizes.tokensQ
                      : inOrder                 ? sizes.blocksQ
                                                : (sizes.tokensQ + branch.pools.queries - 1) / branch.pools.queries;
    values.push_back({pairsOf(branch), "q, pools of k and v, do and lse",
                      "as those of single keys; the bytes are those of P alone",
                      floatsOf({sizes.batch, sizes.headsQ, queries, pools})});
    values.push_back({"pools of k and v of " + branch.name, "k and v", "a sum over the tokens of every pool",
                      floatsOf({sizes.batch, sizes.headsKV, pools, sizes.headDim + sizes.valueDim})});
    if (branch.pools.queries != 0)
      values.push_back({"pools of q of " + branch.name, "q", "a mean over the tokens of every pool",
                        floatsOf({sizes.batch, sizes.headsQ, queries, sizes.headDim})});
  }

  void addSoftmax(const Branch &branch) {
    bool isListed = program.selection.has_value();
    double pairs = isListed ? static_cast<double>(blocks.critical) *
                                  static_cast<double>(program.selection->blockQ * program.selection->blockK)
                            : floatsOf({sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.tokensK}) / floatBytes;
    values.push_back({pairsOf(branch), "q, k, v, do and lse",
                      "tile by tile, in the pass for dq and in the one for dk and dv; the bytes are those of P alone",
                      pairs * floatBytes});
  }

  void addMeans(const Branch &branch) {
    double rows = static_cast<double>(blocks.marginal * (branch.poolsQueries ? 1 : program.selection->blockQ));
    values.push_back({pairsOf(branch), "q, means of k and v, do and lse",
                      "as those of single keys; the bytes are those of P alone", rows * floatBytes});
    values.push_back({"means of k and v", "k and v", "a sum over every key block",
                      floatsOf({sizes.batch, sizes.headsKV, sizes.blocksK, sizes.headDim + sizes.valueDim})});
  }

  void addLinear(const Branch &branch) {
    bool isGlobal = aggregation == "global";
    int64_t states = isGlobal ? 1 : sizes.blocksQ;
    std::string of = " of " + branch.name;
    values.push_back({"phi(Q)" + of, "q", "a function of every row, made where tiles are packed",
                      floatsOf({sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.headDim})});
    values.push_back({"phi(K)" + of, "k", "a function of every row, made where tiles are packed",
                      floatsOf({sizes.batch, sizes.headsKV, sizes.tokensK, sizes.headDim})});
    values.push_back(
        {"H_i and Z_i" + of, isGlobal ? "phi(K) and v" : "phi(K), v and classes",
         isGlobal ? "one sum for every head" : "a matrix for every query block, made by slices of the values",
         floatsOf({sizes.batch, sizes.headsQ, states, sizes.headDim, sizes.valueDim + 1})});
    values.push_back({"O_l" + of, "phi(Q) and H_i", "a product of what is made again anyway",
                      floatsOf({sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.valueDim})});
  }

  const reference::Program &program;
  const reference::CallSizes &sizes;
  const std::string &aggregation;
  const reference::BlockCounts &blocks;
  std::vector<Remade> values;
};

} // namespace

DescribedGradient describeGradient(const CallData &call, const PlanSignature &forward, const PlanSignature &backward) {
  const reference::CallSizes &sizes = call.sizes;
  auto shapeOfInput = [&](std::string_view name) {
    const Tensor &input = *call.arguments.find(name);
    return std::vector<int64_t>(input.shape.begin(), input.shape.begin() + input.rank);
  };
  std::vector<SavedTensor> saved = savedTensors(forward, backward, sizes);
  auto ofSignature = [&](const PlanSignature &signature) {
    Arguments arguments{{}, call.arguments.parameters};
    for (const auto &[name, tensor] : call.arguments.tensors)
      if (signature.find(name) && !(&signature == &backward && name == "o"))
        arguments.tensors.emplace_back(name, tensor);
    for (const SavedTensor &each : saved)
      if (std::string name = &signature == &forward ? each.given : each.taken; !arguments.find(name))
        arguments.tensors.emplace_back(name, describeTensor(each.dtype, each.shape));
    return arguments;
  };
  DescribedGradient described{ofSignature(forward), ofSignature(backward)};
  for (const PlanArgument &argument : backward.arguments) {
    if (argument.role == Role::outputGradient)
      described.backward.tensors.emplace_back(argument.name, describeTensor(argument.dtype, shapeOfInput("o")));
    if (argument.isOutput && call.arguments.find(argument.name.substr(1)))
      described.backward.tensors.emplace_back(argument.name,
                                              describeTensor(argument.dtype, shapeOfInput(argument.name.substr(1))));
  }
  return described;
}

Json gradientMemoryJson(const LoadedSpec &spec, const CallData &call, const Executor &executor,
                        const reference::BlockCounts &blocks) {
  const Artifact &forward = *executor.artifact();
  Json recomputed = Json::array();
  for (const Remade &value : RemadeValues(spec.info.program, call, forward.aggregation, blocks).list())
    recomputed.push_back({{"name", value.name}, {"from", value.from}, {"bytes", value.bytes}, {"why", value.why}});
  Json saved = savedJson(savedTensors(forward.signature(), executor.backwardOf()->artifact()->signature(), call.sizes));
  int64_t bytes = 0;
  for (const Json &tensor : saved)
    bytes += tensor["is_output"].get<bool>() ? 0 : tensor["bytes"].get<int64_t>();
  return {{"saved", std::move(saved)}, {"saved_bytes", bytes}, {"recomputed", std::move(recomputed)}};
}

std::string gradientMemoryText(const Json &object) {
  std::string text = fmt::format("saved for the backward: {:.2f} MiB beside inputs and o\n",
                                 object["saved_bytes"].get<double>() / mebibyte);
  for (const Json &tensor : object["saved"])
    text += fmt::format("  {:<11} {:>10.2f} MiB  {} [{}]: {}\n", tensor["name"].get<std::string>(),
                        tensor["bytes"].get<double>() / mebibyte, tensor["dtype"].get<std::string>(),
                        fmt::join(tensor["shape"].get<std::vector<int64_t>>(), ", "), tensor["why"].get<std::string>());
  text += "made again in the backward, for what saving it would take\n";
  for (const Json &value : object["recomputed"])
    text += fmt::format("  {:.2f} MiB: {}, from {}: {}\n", value["bytes"].get<double>() / mebibyte,
                        value["name"].get<std::string>(), value["from"].get<std::string>(),
                        value["why"].get<std::string>());
  return text;
}

} // namespace tercet::cli
