#include "PlanText.h"

#include <algorithm>

namespace tercet::cli {
namespace {

constexpr double mebi = 1 << 20;

double flopsOf(const rt::PlanEstimate &estimate) {
  double flops = 0;
  for (const rt::NodeEstimate &node : estimate.nodes)
    flops += node.flops;
  return flops;
}

} // namespace

std::string planText(const rt::PlanEstimate &estimate) {
  std::string text = fmt::format("plan: {} (batch, KV head) pairs in groups of {}; {} value slices in passes of {}; "
                                 "states of {} query blocks in passes of {}\n",
                                 estimate.pairs, estimate.groupPairs, estimate.slices, estimate.passSlices,
                                 estimate.rows, estimate.passRows);
  text += fmt::format("  {:<11} {:<16} {:<8} {:>6} {:>10} {:>12} {:>12}\n", "stage", "node", "by", "runs", "items",
                      "MFLOP", "MiB touched");
  for (const rt::NodeEstimate &node : estimate.nodes)
    text += fmt::format("  {:<11} {:<16} {:<8} {:>6} {:>10} {:>12.1f} {:>12.2f}\n", node.stage, node.callee,
                        node.isBuiltin ? "runtime" : "compiled", node.runs, node.items, node.flops / 1e6,
                        node.bytes / mebi);
  return text;
}

std::string directionText(const char *name, const rt::PlanEstimate &estimate) {
  std::vector<std::pair<std::string, double>> stages;
  for (const rt::NodeEstimate &node : estimate.nodes) {
    auto same = [&](const auto &stage) { return stage.first == node.stage; };
    auto stage = std::find_if(stages.begin(), stages.end(), same);
    stage = stage == stages.end() ? stages.insert(stage, {node.stage, 0}) : stage;
    stage->second += node.flops;
  }
  std::string text = fmt::format("\n{}: {:.1f} MFLOP (", name, flopsOf(estimate) / 1e6);
  for (const auto &[stage, flops] : stages)
    text += fmt::format("{}{} {:.1f}", &stage == &stages.front().first ? "" : ", ", stage, flops / 1e6);
  return text + fmt::format("), {:.2f} MiB of workspace\n", static_cast<double>(estimate.workspaceBytes) / mebi);
}

std::string memoryText(const rt::PlanEstimate &estimate, const CallData &call) {
  std::string text = fmt::format("workspace: {:.2f} MiB beyond inputs and outputs\n",
                                 static_cast<double>(estimate.workspaceBytes) / mebi);
  for (const rt::BufferEstimate &buffer : estimate.buffers)
    text += fmt::format("  {:<16} {:>10.2f} MiB  {}\n", buffer.name, static_cast<double>(buffer.bytes) / mebi,
                        buffer.purpose);
  text += fmt::format("  {:<16} {:>10.2f} MiB  of all threads\n", "scratch",
                      static_cast<double>(estimate.scratchBytes) / mebi);
  const Tensor &k = *call.arguments.find("k");
  double bytesOfK = static_cast<double>(k.elements()) * static_cast<double>(dtypeSize(k.dtype));
  if (estimate.statePassBytes > 0)
    text += fmt::format(
        "memory: h and H of one pass take {:.2f} MiB, K has {:.2f} MiB: {}\n",
        static_cast<double>(estimate.statePassBytes) / mebi, bytesOfK / mebi,
        static_cast<double>(estimate.statePassBytes) <= bytesOfK
            ? "within the bytes of K"
            : "more than K: the states of one slice of one pair, and of the fewest query blocks worth a pass");
  return text;
}

Json estimateJson(const rt::PlanEstimate &estimate) {
  Json nodes = Json::array(), buffers = Json::array();
  for (const rt::NodeEstimate &node : estimate.nodes)
    nodes.push_back({{"stage", node.stage},
                     {"node", node.callee},
                     {"by", node.isBuiltin ? "runtime" : "compiled"},
                     {"runs", node.runs},
                     {"items", node.items},
                     {"flop", node.flops},
                     {"bytes", node.bytes}});
  for (const rt::BufferEstimate &buffer : estimate.buffers)
    buffers.push_back({{"name", buffer.name}, {"purpose", buffer.purpose}, {"bytes", buffer.bytes}});
  return {{"pairs", estimate.pairs},
          {"group_pairs", estimate.groupPairs},
          {"slices", estimate.slices},
          {"pass_slices", estimate.passSlices},
          {"rows", estimate.rows},
          {"pass_rows", estimate.passRows},
          {"plan", nodes},
          {"flop", flopsOf(estimate)},
          {"buffers", buffers},
          {"scratch_bytes", estimate.scratchBytes},
          {"workspace_bytes", estimate.workspaceBytes},
          {"state_bytes", estimate.statePassBytes},
          {"state_budget_bytes", estimate.stateBudgetBytes}};
}

} // namespace tercet::cli
