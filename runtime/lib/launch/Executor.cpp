#include "Executor.h"

#include "ClassCounts.h"
#include "PlanWalk.h"

#include <chrono>
#include <cstring>

namespace tercet::rt {
namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Adds the time that it lives to a stage's; nobody asks for times: nothing.
class StageTimer {
public:
  StageTimer(const LaunchReport *report, double &ms) : ms(report ? &ms : nullptr) {
    if (report)
      start = Clock::now();
  }
  ~StageTimer() {
    if (ms)
      *ms += millisecondsSince(start);
  }
  StageTimer(const StageTimer &) = delete;
  StageTimer &operator=(const StageTimer &) = delete;

private:
  double *ms;
  Clock::time_point start;
};

class Execution {
public:
  Execution(const Program &program, Frame &frame, const Workers &workers, char *workspace, LaunchReport *report)
      : program(program), frame(frame), workers(workers), workspace(workspace), report(report),
        stageMs(program.stages.size()), stageFlops(program.stages.size()) {}

  Status run() {
    Clock::time_point start = Clock::now();
    TERCET_RETURN_IF_ERROR(PlanWalk(program, frame, [this](const ProgramNode &node) { return visit(node); }).run());
    if (report) {
      for (size_t stage = 0; stage < program.stages.size(); ++stage) {
        report->stageMs.emplace_back(program.stages[stage], stageMs[stage]);
        report->stageFlops[program.stages[stage]] += stageFlops[stage];
      }
      report->totalMs = millisecondsSince(start);
    }
    return {};
  }

private:
  Status visit(const ProgramNode &node) {
    return node.kind == PlanNode::Kind::memset ? runMemset(node) : runNode(node);
  }

  Status runMemset(const ProgramNode &node) {
    TERCET_TRY(FillRange range, fillRange(node, frame));
    StageTimer timer(report, stageMs[node.stage]);
    std::memset(workspace + range.offset, node.byte, range.bytes);
    return {};
  }

  Status runNode(const ProgramNode &node) {
    TERCET_TRY(NodeGrid grid, gridOf(program, node, frame));
    TERCET_TRY(std::vector<int64_t> slots, fillSlots(node, frame, workspace));
    TERCET_TRY(size_t scratchBytes, scratchBytesOf(node, slots));
    if (scratchBytes > frame.scratchStride)
      return Status::make(Code::internal, "stage {} needs more scratch than its first group",
                          program.stages[node.stage]);

    {
      StageTimer timer(report, stageMs[node.stage]);
      TERCET_RETURN_IF_ERROR(node.function ? runKernel(node, slots, grid) : runBuiltin(node, slots, grid));
    }
    return report ? account(node, slots) : Status();
  }

  char *scratchOf(int worker) const {
    return workspace + frame.scratchOffset + frame.scratchStride * static_cast<size_t>(worker);
  }

  Status runKernel(const ProgramNode &node, const std::vector<int64_t> &slots, const NodeGrid &grid) {
    auto [width, height, depth] = grid.extents;
    return workers.run(grid.count, [&, width = width, height = height](int64_t item, int worker) {
      int64_t row = item / width;
      node.function(slots.data(), item % width, row % height, row / height, scratchOf(worker));
    });
  }

  Status runBuiltin(const ProgramNode &node, const std::vector<int64_t> &slots, const NodeGrid &grid) {
    auto [width, height, depth] = grid.extents;
    int64_t own = node.builtin->scratchBytes ? node.builtin->scratchBytes(slots.data()) : 0;
    int64_t kernelOffset =
        (own + int64_t{workspaceAlignment} - 1) / int64_t{workspaceAlignment} * int64_t{workspaceAlignment};
    return workers.run(grid.count, [&, width = width, height = height](int64_t item, int worker) {
      int64_t row = item / width;
      char *scratch = scratchOf(worker);
      node.builtin->run({slots.data(), item % width, row % height, row / height, scratch, node.kernels.data(),
                         scratch + kernelOffset});
    });
  }

  /// Adds a node's counts and operations to the report.
  Status account(const ProgramNode &node, const std::vector<int64_t> &slots) {
    if (node.countsBlocks) {
      int queryHeads = frame.bound.sizes.heads / frame.bound.sizes.headsKV;
      int64_t pairs = program.known.group >= 0 ? frame.symbols[static_cast<size_t>(program.known.group)] : frame.pairs;
      TERCET_TRY(ClassCounts counts, countClasses(node.builtin->classMap(slots.data()), pairs * queryHeads, workers));
      report->criticalBlocks += counts.critical;
      report->marginalBlocks += counts.marginal;
      report->negligibleBlocks += counts.negligible;
      frame.set(program.known.critical, counts.critical);
      frame.set(program.known.marginal, counts.marginal);
      frame.set(program.known.negligible, counts.negligible);
    }
    TERCET_TRY(int64_t flops, node.flops.evaluate(frame.symbols));
    stageFlops[node.stage] += static_cast<double>(flops);
    return {};
  }

  const Program &program;
  Frame &frame;
  const Workers &workers;
  char *workspace;
  LaunchReport *report;
  std::vector<double> stageMs, stageFlops;
};

} // namespace

Status execute(const Program &program, Frame &frame, const Workers &workers, char *workspace, LaunchReport *report) {
  if (report)
    *report = {};
  return Execution(program, frame, workers, workspace, report).run();
}

} // namespace tercet::rt
